package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.PathFaults;
import dev.contextd.testkit.StoreRoot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Files that appear behind the store's back never win over what it acknowledged. */
class UnknownFilesTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  private VectorStore open() throws Exception {
    return VectorStore.open(root.path(), StoreOptions.defaults());
  }

  private static NewDocument doc(String id, String content) {
    return NewDocument.of(id, content, new float[] {1, 0});
  }

  private static byte[] file(String id, String content) {
    return DocumentFormat.encode(
        new StoredDocument(id, null, new float[] {1, 0}, content), Compression.PLAIN);
  }

  private Path folder(VectorStore store) {
    return root.path().resolve(store.getOrCreate("c", Scope.ALL).info().folder());
  }

  @Test
  void anAcknowledgedWriteWinsOverAFileOfTheSameIdThatNobodyKnew() throws Exception {
    try (VectorStore store = open()) {
      Path other = folder(store).resolve(Names.hash("d") + ".gob");
      Files.write(other, file("d", "another program's"));
      store.upsert("c", List.of(doc("d", "ours")), Scope.ALL);
    }
    try (VectorStore store = open()) {
      assertThat(store.openReport().damage()).isEmpty();
      assertThat(store.collection("c", Scope.ALL).orElseThrow().get("d").orElseThrow().content())
          .isEqualTo("ours");
      try (Stream<Path> trash = Files.walk(root.path().resolve(".contextd/trash"))) {
        assertThat(trash.filter(Files::isRegularFile)).hasSize(1);
      }
    }
  }

  @Test
  void aDeletedDocumentDoesNotComeBackFromACopyNamedLikeOurs() throws Exception {
    try (VectorStore store = open()) {
      store.upsert("c", List.of(doc("d", "ours")), Scope.ALL);
      Files.write(folder(store).resolve(Names.hash("d") + "-1.gob"), file("d", "copy"));
      store.collection("c", Scope.ALL).orElseThrow().delete(List.of("d"));
    }
    try (VectorStore store = open()) {
      assertThat(store.collection("c", Scope.ALL).orElseThrow().count()).isZero();
    }
  }

  @Test
  void aDocumentIsDeletedThoughALinkOfItsNameCannotBeOpened() throws Exception {
    root.expect(Damage.Inaccessible.class);
    try (VectorStore store = open()) {
      store.upsert("c", List.of(doc("d", "ours")), Scope.ALL);
      Path link = folder(store).resolve(Names.hash("d") + ".gob.gz");
      Files.createSymbolicLink(link, root.beside("nowhere"));
      assertThat(store.collection("c", Scope.ALL).orElseThrow().delete(List.of("d"))).isEqualTo(1);
    }
    try (VectorStore store = open()) {
      assertThat(store.collection("c", Scope.ALL).orElseThrow().count()).isZero();
      // It may hold the very document: written beside it, a new one could lose against it.
      assertThatThrownBy(() -> store.upsert("c", List.of(doc("d", "new")), Scope.ALL))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_FAILED))
          .hasMessageContaining("make it readable");
    }
  }

  /** An id as Go may have it: its last byte is not UTF-8. */
  private static byte[] fileOfRawId(String prefix, int lastByte) {
    byte[] file = file(prefix + "?", "raw");
    byte[] id = (prefix + "?").getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < file.length - id.length; i++) {
      if (Arrays.equals(file, i, i + id.length, id, 0, id.length)) {
        file[i + id.length - 1] = (byte) lastByte;
        return file;
      }
    }
    throw new IllegalStateException("the id does not stand in the file");
  }

  private static String rawName(String prefix, int lastByte) throws Exception {
    byte[] id = (prefix + "?").getBytes(StandardCharsets.US_ASCII);
    id[id.length - 1] = (byte) lastByte;
    return HexFormat.of().formatHex(Names.sha256().digest(id), 0, 4) + ".gob";
  }

  @Test
  void idsThatDifferOnlyInBytesThatAreNotUtf8StayTwo() throws Exception {
    root.expect(Damage.TextNotUtf8.class);
    root.expect(Damage.DocumentAmbiguous.class);
    try (VectorStore store = open()) {
      Files.write(folder(store).resolve(rawName("id", 0xff)), fileOfRawId("id", 0xff));
      Files.write(folder(store).resolve(rawName("id", 0xfe)), fileOfRawId("id", 0xfe));
    }
    try (VectorStore store = open()) {
      VectorCollection collection = store.collection("c", Scope.ALL).orElseThrow();
      assertThat(collection.count()).isEqualTo(1);
      assertThat(collection.info().unserved()).isEqualTo(1);
    }
  }

  /** Whichever file came first was served, and the other one was not. */
  @Test
  void anIdThatWasAlteredByDecodingTakesNoOtherDocumentsPlace() throws Exception {
    root.expect(Damage.DocumentAmbiguous.class);
    try (VectorStore store = open()) {
      for (int i = 0; i < 8; i++) {
        String id = "id" + i;
        Files.write(
            folder(store).resolve(Names.hash(id + "\uFFFD") + ".gob"),
            file(id + "\uFFFD", "exact"));
        Files.write(folder(store).resolve(rawName(id, 0xff)), fileOfRawId(id, 0xff));
      }
    }
    for (int opening = 0; opening < 2; opening++) {
      try (VectorStore store = open()) {
        VectorCollection collection = store.collection("c", Scope.ALL).orElseThrow();
        for (int i = 0; i < 8; i++) {
          assertThat(collection.get("id" + i + "\uFFFD").orElseThrow().content())
              .isEqualTo("exact");
        }
        assertThat(collection.info().unserved()).isEqualTo(8);
      }
    }
  }

  @Test
  void aWriteToAnIdThatWasAlteredByDecodingGetsAFileOfItsOwn() throws Exception {
    try (VectorStore store = open()) {
      Files.write(folder(store).resolve(rawName("id", 0xff)), fileOfRawId("id", 0xff));
    }
    try (VectorStore store = open()) {
      store.upsert("c", List.of(doc("id\uFFFD", "ours")), Scope.ALL);
    }
    try (VectorStore store = open()) {
      assertThat(store.openReport().damage()).isEmpty();
      VectorCollection collection = store.collection("c", Scope.ALL).orElseThrow();
      assertThat(collection.get("id\uFFFD").orElseThrow().content()).isEqualTo("ours");
      assertThat(collection.count()).isEqualTo(1);
    }
  }

  @Test
  void collectionsWithNamesThatWeWouldNotGiveCanBeWritten() throws Exception {
    String name = "tab\tand " + "x".repeat(300);
    Path folder = Files.createDirectories(root.path().resolve(Names.hash(name)));
    Files.write(
        folder.resolve("00000000.gob"),
        MetadataFormat.encode(new StoredCollection(name, Map.of()), Compression.PLAIN));
    String id = "i".repeat(600);
    Files.write(folder.resolve(Names.hash(id) + ".gob"), file(id, "long id"));
    try (VectorStore store = open()) {
      store.upsert(name, List.of(doc("d", "x"), doc(id, "replaced")), Scope.ALL);
      assertThat(store.create(name, Map.of())).isFalse();
      assertThat(store.collection(name, Scope.ALL).orElseThrow().count()).isEqualTo(2);
    }
  }

  @Test
  void aModelRecordThatCannotBeReadDoesNotStopTheStart() throws Exception {
    try (VectorStore store = open()) {
      store.upsert("c", List.of(doc("d", "x")), Scope.ALL);
      Path records = Files.createDirectories(root.path().resolve(".contextd/collections"));
      Files.writeString(records.resolve(Names.hash("c") + ".json"), "{}");
    }
    try (VectorStore store =
        VectorStore.open(
            root.path(),
            StoreOptions.defaults()
                .withDisk(
                    new PathFaults(path -> path.toString().endsWith(".json"), path -> false)))) {
      assertThat(store.collection("c", Scope.ALL).orElseThrow().count()).isEqualTo(1);
    }
  }

  @Test
  void aFailedFirstWriteLeavesNoEmptyCollection() throws Exception {
    try (VectorStore store =
        VectorStore.open(
            root.path(),
            StoreOptions.defaults()
                .withDisk(
                    new PathFaults(path -> false, path -> path.toString().endsWith(".log"))))) {
      assertThatThrownBy(() -> store.upsert("c", List.of(doc("d", "x")), Scope.ALL))
          .isInstanceOf(StoreException.class);
      assertThat(store.collections(Scope.ALL)).isEmpty();
    }
    assertThat(root.path().resolve(Names.hash("c"))).doesNotExist();
  }

  @Test
  void withinAScopeUnservedDocumentsOfOthersAreNotCounted() throws Exception {
    root.expect(Damage.VectorUnusable.class);
    try (VectorStore store = open()) {
      byte[] zero =
          DocumentFormat.encode(
              new StoredDocument("z", null, new float[] {0, 0}, ""), Compression.PLAIN);
      Files.write(folder(store).resolve(Names.hash("z") + ".gob"), zero);
    }
    try (VectorStore store = open()) {
      Scope tenant = new Scope(Map.of("tenant_id", "b"), Set.of("tenant_id"));
      Query query = Query.nearest(new float[] {1, 0}, 1);
      assertThat(store.collection("c", tenant).orElseThrow().query(query).coverage().unavailable())
          .isEmpty();
      assertThat(
              store.collection("c", Scope.ALL).orElseThrow().query(query).coverage().unavailable())
          .hasValue(1);
    }
  }
}
