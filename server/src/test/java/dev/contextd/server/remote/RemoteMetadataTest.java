package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The metadata of collections, which no record of the journal changes after their creation. */
class RemoteMetadataTest {
  private static final String MEMORIES = "contextd_memories";

  @RegisterExtension final StoreRoot root = new StoreRoot();
  private final FakeQdrant server = FakeQdrant.open();

  @AfterEach
  void close() {
    server.close();
  }

  private static NewDocument document(String id) {
    return NewDocument.of(id, "text of " + id, new float[] {1, 2, 3});
  }

  private Path metadataFile(String collection) {
    return root.path().resolve(Names.hash(collection)).resolve("00000000.gob");
  }

  private void writeMetadata(String collection, Map<String, String> metadata) throws IOException {
    Path file = metadataFile(collection);
    Files.createDirectories(file.getParent());
    Files.write(
        file, MetadataFormat.encode(new StoredCollection(collection, metadata), Compression.PLAIN));
  }

  private Map<String, Map<String, String>> there() throws IOException {
    try (QdrantStore remote = Side.remote(server.port())) {
      return Side.metadata(remote);
    }
  }

  private static void awaitNoGap(Side side) {
    await().atMost(Duration.ofMinutes(1)).until(() -> side.sync().status().gap().isEmpty());
  }

  @Test
  void whatAnotherProgramMadeOfThemMeanwhileReachesTheServerAfterTheStart() throws Exception {
    try (Side side = Side.open(root.path(), server.port())) {
      side.documents().create("notes", Map.of("colour", "red", "old", "yes"));
      side.documents().upsert("notes", List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      assertThat(there()).isEqualTo(Map.of("notes", Map.of("colour", "red", "old", "yes")));
    }
    writeMetadata("notes", Map.of("colour", "blue"));
    try (Side side = Side.open(root.path(), server.port())) {
      awaitNoGap(side);
      assertThat(there()).isEqualTo(Map.of("notes", Map.of("colour", "blue")));
      side.assertSame(server.port());
    }
  }

  @Test
  void whatAnotherProgramMakesOfThemNowReachesTheServer() throws Exception {
    try (Side side = Side.open(root.path(), server.port())) {
      side.documents().create("notes", Map.of("colour", "red"));
      side.documents().upsert("notes", List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      side.sync().pause();
      writeMetadata("notes", Map.of("colour", "blue"));
      writeMetadata("new", Map.of("colour", "green"));
      Files.write(
          metadataFile("new").resolveSibling(Names.hash("a") + ".gob"),
          DocumentFormat.encode(
              new StoredDocument("a", null, new float[] {0, 0, 1}, "by another"),
              Compression.PLAIN));
      VectorStore store = side.store().store();
      for (IntactCollection foreign : store.examine(Optional.empty()).foreign()) {
        store.adopt(foreign);
      }
      assertThat(side.sync().status().gap().orElseThrow())
          .contains(
              "the metadata of the collection \"notes\" changed",
              "another program created the collection \"new\"");
      side.sync().resume();
      awaitNoGap(side);
      assertThat(there())
          .isEqualTo(Map.of("notes", Map.of("colour", "blue"), "new", Map.of("colour", "green")));
      side.assertSame(server.port());
    }
  }

  /** What nobody knows here takes the place of nothing there, until an operator has said it. */
  @Test
  void lostMetadataAreNotSentAndSettledOnesAre() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(metadataFile(MEMORIES));
    try (Side side = Side.open(root.path(), server.port());
        QdrantStore remote = Side.remote(server.port())) {
      awaitNoGap(side);
      remote.describe(MEMORIES, Map.of("known", "there"));
      assertThat(side.sync().verify(true).isSame()).isTrue();
      assertThat(there().get(MEMORIES)).isEqualTo(Map.of("known", "there"));
      side.store().quarantine().recover(MEMORIES, Optional.of(Map.of("said", "here")));
      awaitNoGap(side);
      assertThat(there().get(MEMORIES)).isEqualTo(Map.of("said", "here"));
      side.assertSame(server.port());
    }
  }

  @Test
  void aComparisonTellsOtherMetadataAndACollectionThatIsMissing() throws Exception {
    try (Side side = Side.open(root.path(), server.port());
        QdrantStore remote = Side.remote(server.port())) {
      side.documents().create("notes", Map.of("colour", "red"));
      side.documents().create("empty", Map.of("colour", "red"));
      side.sync().sync(false);
      assertThat(side.sync().verify(false).isSame()).isTrue();
      remote.describe("notes", Map.of("colour", "blue"));
      remote.delete("empty", Scope.ALL);
      var found = side.sync().verify(false);
      assertThat(found.isSame()).isFalse();
      assertThat(found.otherMetadata()).isEqualTo(2);
      assertThat(found.examples()).anyMatch(line -> line.contains("\"notes\" is not there with"));
      assertThat(there()).containsOnlyKeys("notes");
      var repaired = side.sync().verify(true);
      assertThat(repaired.described()).isEqualTo(2);
      assertThat(repaired.isSame()).isTrue();
      side.assertSame(server.port());
    }
  }

  /** However many pages a collection has. */
  @Test
  void aComparisonAsksForACollectionOnce() throws Exception {
    try (Side side = Side.open(root.path(), server.port())) {
      List<NewDocument> documents =
          IntStream.range(0, 800).mapToObj(i -> document("d" + i)).toList();
      side.documents().upsert("notes", documents, Scope.ALL);
      side.sync().sync(false);
      long small = asked(side);
      List<NewDocument> more =
          IntStream.range(800, 1_600).mapToObj(i -> document("d" + i)).toList();
      side.documents().upsert("notes", more, Scope.ALL);
      side.sync().sync(false);
      assertThat(asked(side)).isEqualTo(small);
    }
  }

  private long asked(Side side) {
    long before = server.calls("qdrant.Collections/Get");
    assertThat(side.sync().verify(false).isSame()).isTrue();
    return server.calls("qdrant.Collections/Get") - before;
  }
}
