package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The folder of a collection that lost its metadata, in a store that nobody of ours has seen. */
class ProvenNameTest {
  private static final String MEMORIES = "e9f85bf6";
  private static final String NAME = "contextd_memories";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private Path metadataFile() {
    return root.path().resolve(MEMORIES).resolve("00000000.gob");
  }

  private ResilientStore open() throws IOException {
    return ResilientStore.open(root.path(), StoreOptions.defaults());
  }

  private static CollectionInfo memories(ResilientStore store) {
    return store.store().collection(NAME, Scope.ALL).orElseThrow().info();
  }

  @Test
  void theIncidentIsServedAndSaysThatItsMetadataIsUnknown() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(metadataFile());
    try (ResilientStore store = open()) {
      assertThat(memories(store).count()).isEqualTo(6);
      assertThat(memories(store).metadata()).isEmpty();
      assertThat(memories(store).lostMetadata().orElseThrow())
          .contains("missing beside 6 documents", NAME, "contextd's own names", "not known");
      assertThat(store.summary().quarantined()).isEmpty();
      assertThat(store.summary().repairs()).containsExactly(RepairSource.NAME);
      HealthReport health = store.health();
      assertThat(health.corrupt()).containsExactly(MEMORIES);
      assertThat(health.details().get(MEMORIES)).contains("not known");
      assertThat(health.unavailable()).isZero();
    }
    assertThat(MetadataFormat.decode(Files.readAllBytes(metadataFile())).value().name())
        .isEqualTo(NAME);
  }

  @Test
  void itIsNotForgottenByARestartAndEndsWhenItIsSettled() throws Exception {
    root.copyOf("chromem-go/plain");
    Map<String, String> before =
        MetadataFormat.decode(Files.readAllBytes(metadataFile())).value().metadataOrEmpty();
    Files.delete(metadataFile());
    open().close();
    try (ResilientStore store = open()) {
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      store.store().settleMetadata(NAME, Optional.of(before));
      assertThat(memories(store).metadata()).isEqualTo(before);
      assertThat(store.health().isDegraded()).isFalse();
      assertThatThrownBy(() -> store.store().settleMetadata(NAME, Optional.empty()))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("is known");
    }
    try (ResilientStore store = open()) {
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(memories(store).metadata()).isEqualTo(before);
    }
  }

  @Test
  void whatIsServedMayBeAcceptedAsItIs() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(metadataFile());
    try (ResilientStore store = open()) {
      store.store().settleMetadata(NAME, Optional.empty());
      assertThat(store.health().isDegraded()).isFalse();
    }
    try (ResilientStore store = open()) {
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(memories(store).count()).isEqualTo(6);
    }
  }

  @Test
  void bytesThatCannotBeReadAreKept() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.writeString(metadataFile(), "no gob at all");
    try (ResilientStore store = open()) {
      assertThat(memories(store).lostMetadata().orElseThrow()).contains("cannot be read");
      Path kept = root.path().resolve(".quarantine/" + MEMORIES + ".00000000/00000000.gob");
      assertThat(kept).hasContent("no gob at all");
      store.store().settleMetadata(NAME, Optional.empty());
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void itIsWrittenToAndDeletedLikeAnyOther() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(metadataFile());
    try (ResilientStore store = open()) {
      VectorCollection collection = store.store().collection(NAME, Scope.ALL).orElseThrow();
      collection.upsert(
          java.util.List.of(NewDocument.of("new", "", new float[] {1, 0, 0, 0, 0, 0, 0, 0})));
      store.store().delete(NAME, Scope.ALL);
      store.store().create(NAME, Map.of("a", "b"));
      assertThat(memories(store).lostMetadata()).isEmpty();
      assertThat(store.health().isDegraded()).isFalse();
    }
    try (ResilientStore store = open()) {
      assertThat(memories(store).metadata()).isEqualTo(Map.of("a", "b"));
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void aTeamsNameIsFoundInItsDocuments() throws Exception {
    String name = "platform_checkout_memories";
    Path folder = Files.createDirectories(root.path().resolve(Names.hash(name)));
    StoredDocument document =
        new StoredDocument(
            "a",
            Map.of("team_id", "platform", "project_id", "checkout"),
            new float[] {1, 0},
            "text");
    Files.write(
        folder.resolve(Names.hash("a") + ".gob"),
        DocumentFormat.encode(document, Compression.PLAIN));
    try (ResilientStore store = open()) {
      CollectionInfo info = store.store().collection(name, Scope.ALL).orElseThrow().info();
      assertThat(info.count()).isEqualTo(1);
      assertThat(info.lostMetadata().orElseThrow()).contains("metadata of its documents");
    }
  }

  @Test
  void aNamesakeInItsRightPlaceKeepsItsName() throws Exception {
    root.copyOf("chromem-go/plain");
    Path second = Files.createDirectories(root.path().resolve(MEMORIES + "-1"));
    try (var files = Files.list(root.path().resolve(MEMORIES))) {
      Path document =
          files.filter(file -> !file.endsWith("00000000.gob")).findFirst().orElseThrow();
      Files.copy(document, second.resolve(document.getFileName()));
    }
    try (ResilientStore store = open()) {
      assertThat(memories(store).folder()).isEqualTo(MEMORIES);
      assertThat(store.health().corrupt()).containsExactly(MEMORIES + "-1");
      assertThat(root.path().resolve(".quarantine/" + MEMORIES + "-1")).isDirectory();
    }
  }

  @Test
  void whoWantsQuarantineInsteadGetsIt() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(metadataFile());
    StoreOptions options = StoreOptions.defaults().withProvenNames(false);
    try (ResilientStore store = ResilientStore.open(root.path(), options)) {
      assertThat(store.store().collection(NAME, Scope.ALL)).isEmpty();
      assertThat(root.path().resolve(".quarantine/" + MEMORIES)).isDirectory();
    }
  }

  @Test
  void knownToUsItComesBackWhole() throws Exception {
    root.copyOf("chromem-go/plain");
    Map<String, String> before =
        MetadataFormat.decode(Files.readAllBytes(metadataFile())).value().metadataOrEmpty();
    open().close();
    Files.delete(metadataFile());
    try (ResilientStore store = open()) {
      assertThat(memories(store).metadata()).isEqualTo(before);
      assertThat(memories(store).lostMetadata()).isEmpty();
      assertThat(store.health().isDegraded()).isFalse();
    }
  }
}
