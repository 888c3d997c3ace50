package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class BackupsTest {
  private static final String NAME = "contextd_memories";
  private static final String MEMORIES = "e9f85bf6";
  private static final float[] UNIT = {1, 0, 0, 0, 0, 0, 0, 0};

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private BackupOptions options() {
    return new BackupOptions(root.beside("backups"), Duration.ZERO, 3, Optional.empty());
  }

  private ResilientStore open() throws IOException {
    return open(options());
  }

  private ResilientStore open(BackupOptions options) throws IOException {
    return ResilientStore.open(
        root.path(), StoreOptions.defaults(), HealthOptions.defaults(), options);
  }

  private static Map<String, Document> documents(ResilientStore store, String name) {
    Map<String, Document> all = new HashMap<>();
    VectorCollection collection = store.store().collection(name, Scope.ALL).orElseThrow();
    collection.page(Optional.empty(), 1_000).documents().forEach(one -> all.put(one.id(), one));
    return all;
  }

  private static void assertSame(Map<String, Document> found, Map<String, Document> expected) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((id, document) -> {
      Document same = Objects.requireNonNull(found.get(id));
      assertThat(same.content()).isEqualTo(document.content());
      assertThat(same.metadata()).isEqualTo(document.metadata());
      assertThat(same.embedding()).isEqualTo(document.embedding());
    });
  }

  private Path metadataFile() {
    return root.path().resolve(MEMORIES).resolve("00000000.gob");
  }

  @Test
  void everythingComesBackAndWhatWasThereIsInTheTrash() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      Map<String, Document> before = documents(store, NAME);
      Backups.Run run = store.backups().create();
      assertThat(run.documents()).isEqualTo(46);
      assertThat(run.collections()).isEqualTo(3);
      assertThat(store.backups().verify(Optional.empty()).fault()).isEmpty();
      BackupProgress progress = store.backups().progress();
      assertThat(progress.isRunning()).isFalse();
      assertThat(progress.total()).isPositive().isEqualTo(progress.done());
      VectorCollection memories = store.store().collection(NAME, Scope.ALL).orElseThrow();
      memories.upsert(List.of(NewDocument.of("later", "", UNIT)));
      memories.delete(List.of(before.keySet().iterator().next()));
      Backups.Restored restored =
          store.backups().restore(Optional.of(run.name()), Optional.empty(), Optional.empty());
      assertThat(restored.documents()).isEqualTo(46);
      assertThat(restored.collections()).hasSize(3);
      assertSame(documents(store, NAME), before);
      assertThat(store.store().trash()).anyMatch(one -> one.folder().equals(MEMORIES));
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.audit(100).stream().map(line -> line.get("what")))
          .contains("backed up", "restored");
    }
    try (ResilientStore store = open()) {
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void oneCollectionAndOneDocumentComeBackAlone() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      Map<String, Document> before = documents(store, NAME);
      store.backups().create();
      store.store().delete(NAME, Scope.ALL);
      store.store().delete("contextd_checkpoints", Scope.ALL);
      store.backups().restore(Optional.empty(), Optional.of(NAME), Optional.empty());
      assertSame(documents(store, NAME), before);
      assertThat(store.store().collection("contextd_checkpoints", Scope.ALL)).isEmpty();
      String id = before.keySet().iterator().next();
      VectorCollection memories = store.store().collection(NAME, Scope.ALL).orElseThrow();
      memories.upsert(List.of(NewDocument.of(id, "changed", UNIT)));
      assertThat(
              store
                  .backups()
                  .restore(Optional.empty(), Optional.of(NAME), Optional.of(id))
                  .documents())
          .isEqualTo(1);
      assertSame(documents(store, NAME), before);
      assertThatThrownBy(() ->
              store.backups().restore(Optional.empty(), Optional.of(NAME), Optional.of("none")))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("holds no document \"none\"");
      assertThatThrownBy(() ->
              store.backups().restore(Optional.empty(), Optional.of("none"), Optional.empty()))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("holds no collection \"none\"");
    }
  }

  @Test
  void aDamagedBackupRestoresNothing() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      store.backups().create();
      try (var files = Files.walk(root.beside("backups/content"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          byte[] bytes = Files.readAllBytes(file);
          bytes[bytes.length / 2] ^= 1;
          Files.write(file, bytes);
        }
      }
      assertThat(store.backups().verify(Optional.empty()).fault()).isPresent();
      assertThatThrownBy(
              () -> store.backups().restore(Optional.empty(), Optional.empty(), Optional.empty()))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("nothing was restored");
      assertThat(documents(store, NAME)).hasSize(6);
      assertThat(store.store().trash()).isEmpty();
    }
  }

  @Test
  void namesAreBackedUpByTheClockAndBringBackWhatTheIncidentLost() throws Exception {
    root.copyOf("chromem-go/plain");
    Map<String, String> before;
    try (ResilientStore store = open()) {
      store.store().create("only here", Map.of("a", "b"));
      before = store.store().collection(NAME, Scope.ALL).orElseThrow().info().metadata();
      store.watch();
      await().until(() -> store.backups().lastNames().isPresent());
    }
    Files.move(root.path().resolve(".contextd"), root.beside("own")); // Nothing is known any more.
    Files.delete(metadataFile());
    Path other = root.path().resolve(dev.contextd.storage.chromem.Names.hash("only here"));
    Files.delete(other.resolve("00000000.gob"));
    try (var files = Files.list(root.path().resolve("a1ef3a3d"))) {
      Path document = files.filter(one -> !one.endsWith("00000000.gob")).findFirst().orElseThrow();
      Files.copy(document, other.resolve(document.getFileName()));
    }
    try (ResilientStore store = open()) {
      assertThat(store.summary().repairs())
          .containsExactly(RepairSource.BACKUP, RepairSource.BACKUP);
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.store().collection(NAME, Scope.ALL).orElseThrow().info().metadata())
          .isEqualTo(before);
      assertThat(store.store().collection("only here", Scope.ALL).orElseThrow().info().metadata())
          .isEqualTo(Map.of("a", "b"));
    }
    assertThat(MetadataFormat.decode(Files.readAllBytes(metadataFile())).value().name())
        .isEqualTo(NAME);
  }

  @Test
  void withAKeyNothingIsReadable() throws Exception {
    root.copyOf("chromem-go/plain");
    byte[] key = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    BackupOptions encrypted =
        new BackupOptions(root.beside("backups"), Duration.ZERO, 3, Optional.of(key));
    try (ResilientStore store = open(encrypted)) {
      Map<String, Document> before = documents(store, NAME);
      store.backups().create();
      try (var files = Files.walk(root.beside("backups"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
              .doesNotContain(NAME);
        }
      }
      store.store().delete(NAME, Scope.ALL);
      store.backups().restore(Optional.empty(), Optional.of(NAME), Optional.empty());
      assertSame(documents(store, NAME), before);
    }
    try (ResilientStore store = open()) {
      assertThat(store.backups().list().getFirst().fault()).isPresent();
    }
  }

  @Test
  void aBackupBesideWritersHoldsEachBatchWholeOrNotAtAll() throws Exception {
    try (ResilientStore store = open()) {
      VectorCollection notes = store.store().getOrCreate("notes", Scope.ALL);
      AtomicBoolean isOver = new AtomicBoolean();
      Thread writer =
          Thread.ofPlatform()
              .start(() -> {
                for (int version = 0; !isOver.get(); version++) {
                  List<NewDocument> batch = new ArrayList<>();
                  for (int i = 0; i < 50; i++) {
                    batch.add(NewDocument.of("d" + i, "v" + version, new float[] {1, 0}));
                  }
                  notes.upsert(batch);
                }
              });
      await().until(() -> notes.count() == 50);
      for (int i = 0; i < 5; i++) {
        store.backups().create();
      }
      isOver.set(true);
      writer.join();
      assertThat(store.backups().list()).hasSize(3);
      for (Backups.Run run : store.backups().list()) {
        store.backups().restore(Optional.of(run.name()), Optional.empty(), Optional.empty());
        Map<String, Document> found = documents(store, "notes");
        assertThat(found).hasSize(50);
        assertThat(found.values().stream().map(Document::content).distinct()).hasSize(1);
      }
    }
  }
}
