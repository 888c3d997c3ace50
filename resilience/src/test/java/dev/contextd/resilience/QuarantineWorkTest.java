package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.storage.chromem.Names;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class QuarantineWorkTest {
  private static final String MEMORIES = "e9f85bf6";
  private static final String NAME = "contextd_memories";
  private static final float[] UNIT = {1, 0, 0, 0, 0, 0, 0, 0};

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private Path memories() {
    return root.path().resolve(MEMORIES);
  }

  private ResilientStore open() throws IOException {
    return ResilientStore.open(root.path(), StoreOptions.defaults());
  }

  /** The fixture with a collection in quarantine, and what was in it. */
  private Map<String, Document> quarantineMemories() throws IOException {
    root.copyOf("chromem-go/plain");
    Map<String, Document> before;
    try (ResilientStore store = open()) {
      before = documents(store);
    }
    Path own = root.path().resolve(".contextd");
    Files.move(own, root.beside("own")); // Nothing is known of it any more.
    Files.delete(memories().resolve("00000000.gob"));
    StoreOptions options = StoreOptions.defaults().withProvenNames(false);
    ResilientStore.open(root.path(), options).close();
    assertThat(root.path().resolve(".quarantine/" + MEMORIES)).isDirectory();
    return before;
  }

  private static VectorCollection collection(ResilientStore store) {
    return store.store().collection(NAME, Scope.ALL).orElseThrow();
  }

  private static Map<String, Document> documents(ResilientStore store) {
    Map<String, Document> all = new HashMap<>();
    collection(store)
        .page(Optional.empty(), 100)
        .documents()
        .forEach(document -> all.put(document.id(), document));
    return all;
  }

  private static Document of(Map<String, Document> documents, String id) {
    return Objects.requireNonNull(documents.get(id));
  }

  private static void assertSame(Map<String, Document> found, Map<String, Document> expected) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((id, document) -> {
      Document same = of(found, id);
      assertThat(same.content()).isEqualTo(document.content());
      assertThat(same.metadata()).isEqualTo(document.metadata());
      assertThat(same.embedding()).isEqualTo(document.embedding());
    });
  }

  @Test
  void theListTellsWhatIsReadableAndWhoseItIs() throws Exception {
    quarantineMemories();
    try (ResilientStore store = open()) {
      QuarantineWork.Item item = store.quarantine().list().getFirst();
      assertThat(item.name()).isEqualTo(MEMORIES);
      assertThat(item.collection()).contains(NAME);
      assertThat(item.readable()).hasValue(6);
      assertThat(item.hindrance()).isEmpty();
    }
  }

  @Test
  void aCollectionComesBackWithoutARestartBitForBit() throws Exception {
    Map<String, Document> before = quarantineMemories();
    try (ResilientStore store = open()) {
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      List<QuarantineWork.Restored> restored =
          store.quarantine().restore(MEMORIES, Optional.empty(), false);
      assertThat(restored.getFirst().merged().added()).isEqualTo(6);
      assertSame(documents(store), before);
      assertThat(store.store().collection(NAME, Scope.ALL).orElseThrow().info().lostMetadata())
          .isPresent();
      store.store().settleMetadata(NAME, Optional.empty());
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(root.path().resolve(".quarantine/" + MEMORIES)).doesNotExist();
      assertThat(store.store().trash()).hasSize(1);
    }
    try (ResilientStore store = open()) {
      assertSame(documents(store), before);
      assertThat(store.health().isDegraded()).isFalse();
    }
    assertThat(Files.readString(root.path().resolve(".contextd/audit.jsonl")))
        .contains("\"what\":\"restored\"", "6 documents are back");
  }

  @Test
  void theNewerVersionOfADocumentWins() throws Exception {
    Map<String, Document> before = quarantineMemories();
    List<String> ids = before.keySet().stream().sorted().toList();
    String older = ids.get(0);
    String newer = ids.get(1);
    Path entry = root.path().resolve(".quarantine/" + MEMORIES);
    Files.setLastModifiedTime(
        entry.resolve(Names.hash(newer) + ".gob"), FileTime.from(Instant.now().plusSeconds(3_600)));
    try (ResilientStore store = open()) {
      store.store().create(NAME, Map.of("kind", "new"));
      collection(store)
          .upsert(List.of(NewDocument.of(older, "x", UNIT), NewDocument.of(newer, "y", UNIT)));
      var merged =
          store.quarantine().restore(MEMORIES, Optional.empty(), false).getFirst().merged();
      assertThat(List.of(merged.added(), merged.replaced(), merged.older()))
          .containsExactly(4, 1, 1);
      assertThat(of(documents(store), older).content()).isEqualTo("x");
      assertThat(of(documents(store), newer).content()).isEqualTo(of(before, newer).content());
      assertThat(collection(store).info().metadata()).isEqualTo(Map.of("kind", "new"));
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.store().trash()).anyMatch(gone -> gone.kind().equals("documents"));
    }
  }

  @Test
  void bothVersionsAreKeptOnRequest() throws Exception {
    Map<String, Document> before = quarantineMemories();
    String id = before.keySet().stream().sorted().toList().getFirst();
    try (ResilientStore store = open()) {
      collectionOf(store).upsert(List.of(NewDocument.of(id, "x", UNIT)));
      store.quarantine().restore(MEMORIES, Optional.empty(), true);
      assertThat(of(documents(store), id).content()).isEqualTo("x");
      assertThat(of(documents(store), id + ".other").content()).isEqualTo(of(before, id).content());
    }
  }

  private static VectorCollection collectionOf(ResilientStore store) {
    return store.store().getOrCreate(NAME, Scope.ALL);
  }

  @Test
  void whatCannotBeReadStaysAsAnEntryOfItsOwn() throws Exception {
    Map<String, Document> before = quarantineMemories();
    String bad = before.keySet().stream().sorted().toList().getFirst();
    Path entry = root.path().resolve(".quarantine/" + MEMORIES);
    Files.writeString(entry.resolve(Names.hash(bad) + ".gob"), "no gob");
    try (ResilientStore store = open()) {
      var restored = store.quarantine().restore(MEMORIES, Optional.empty(), false).getFirst();
      String left = MEMORIES + "." + Names.hash(bad);
      assertThat(restored.left()).containsExactly(left);
      assertThat(documents(store)).hasSize(5);
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      assertThatThrownBy(() -> store.quarantine().restore(left, Optional.empty(), false))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("cannot be read");
      assertThat(store.quarantine().list().getFirst().hindrance()).isPresent();
      store.store().settleMetadata(NAME, Optional.empty());
      assertThat(store.quarantine().discard(left)).containsExactly(left);
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void aDocumentsFileComesBackWhenItCanBeReadAgain() throws Exception {
    root.copyOf("chromem-go/plain");
    Path file;
    try (var files = Files.list(memories())) {
      file = files.filter(one -> !one.endsWith("00000000.gob")).findFirst().orElseThrow();
    }
    byte[] good = Files.readAllBytes(file);
    Files.writeString(file, "no gob");
    String stem = String.valueOf(file.getFileName()).replace(".gob", "");
    String entry = MEMORIES + "." + stem;
    try (ResilientStore store = open()) {
      assertThat(documents(store)).hasSize(5);
      Files.write(root.path().resolve(".quarantine").resolve(entry).resolve(stem + ".gob"), good);
      store.quarantine().restore(entry, Optional.empty(), false);
      assertThat(documents(store)).hasSize(6);
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void aWrongNameIsRefusedWithBothHashesAndAProvenOneIsTaken() throws Exception {
    Path folder = Files.createDirectories(root.path().resolve(Names.hash("my notes")));
    root.copyOf("chromem-go/plain");
    Files.copy(firstDocument(), folder.resolve(String.valueOf(firstDocument().getFileName())));
    try (ResilientStore store = open()) {
      String hash = Names.hash("my notes");
      assertThat(store.quarantine().list().getFirst().hindrance().orElseThrow())
          .contains(hash, "give the name");
      assertThatThrownBy(() -> store.quarantine().restore(hash, Optional.of("their notes"), false))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining(Names.hash("their notes"))
          .hasMessageContaining(hash);
      store.quarantine().restore(hash, Optional.of("my notes"), false);
      assertThat(store.store().collection("my notes", Scope.ALL).orElseThrow().count())
          .isEqualTo(1);
    }
  }

  private Path firstDocument() throws IOException {
    try (var files = Files.list(memories())) {
      return files.filter(one -> !one.endsWith("00000000.gob")).sorted().findFirst().orElseThrow();
    }
  }

  @Test
  void discardedIsInTheTrashAndCountsNoMore() throws Exception {
    Map<String, Document> before = quarantineMemories();
    try (ResilientStore store = open()) {
      assertThat(store.quarantine().discard(MEMORIES)).containsExactly(MEMORIES);
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.store().trash().getFirst().documents()).isEqualTo(before.size());
      assertThatThrownBy(() -> store.quarantine().discard(MEMORIES))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("nothing in quarantine");
    }
    try (ResilientStore store = open()) {
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void theAuditLogSaysWhoDidWhatToWhichBytes() throws Exception {
    quarantineMemories();
    try (ResilientStore store = open()) {
      String entry = store.audit(1).getFirst().get("before");
      ResilientStore.acting(
          "ann", () -> store.quarantine().restore(MEMORIES, Optional.empty(), false));
      Map<String, String> restored = store.audit(1).getFirst();
      assertThat(restored.get("who")).startsWith("ann, through contextd, process ");
      assertThat(restored)
          .containsEntry("what", "restored")
          .containsEntry("before", entry)
          .containsEntry("source", "quarantine")
          .containsEntry("lossless", "no")
          .containsEntry("after", store.store().checksum(NAME));
      assertThat(entry).startsWith("folder:");
      String all = store.store().checksum(NAME);
      collection(store).delete(List.of(documents(store).keySet().iterator().next()));
      store.store().checkpoint();
      Map<String, String> deleted = store.audit(1).getFirst();
      assertThat(deleted)
          .containsEntry("what", "deleted")
          .containsEntry("who", "callers of the store")
          .containsEntry("folder", MEMORIES);
      assertThat(deleted.get("before")).startsWith("files:");
      assertThat(root.path().resolve(".contextd/trash").resolve(of(deleted))).isDirectory();
      store.store().restore(of(deleted));
      assertThat(store.store().checksum(NAME)).isEqualTo(all);
      store.store().delete(NAME, Scope.ALL);
      assertThat(store.audit(1).getFirst())
          .containsEntry("what", "deleted")
          .containsEntry("before", all)
          .containsEntry("after", "");
      store.backups().create();
      assertThat(store.audit(1).getFirst().get("after")).startsWith("file:");
    }
  }

  private static String of(Map<String, String> line) {
    return Objects.requireNonNull(line.get("kept"));
  }
}
