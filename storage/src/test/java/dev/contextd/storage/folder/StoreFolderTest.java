package dev.contextd.storage.folder;

import static dev.contextd.storage.folder.Folders.intact;
import static dev.contextd.storage.folder.Folders.put;
import static dev.contextd.storage.folder.Folders.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.StoredCollection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Collections as they are created, written and deleted on disk. */
class StoreFolderTest {
  private static final StoredCollection NOTES = new StoredCollection("notes", Map.of("k", "v"));
  private static final String NAME_A = "collection-15820";
  private static final String NAME_B = "collection-132664";
  private static final String ID_A = "doc-17633";
  private static final String ID_B = "doc-29150";
  private static final String ID_ZERO = "doc-7113356497";

  @TempDir Path root;

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> folder.relativize(path).toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void whatIsWrittenIsWhatTheCheckReads(Compression compression) throws Exception {
    CollectionFolder folder = store(root).create(NOTES, compression);
    folder.put(List.of(put(folder, "a", "first"), put(folder, "b", "second")), List.of());
    IntactCollection read = intact(root, 0).getFirst();
    assertThat(read.collection()).isEqualTo(NOTES);
    assertThat(read.compression()).isEqualTo(compression);
    assertThat(read.dimension()).isEqualTo(2);
    assertThat(read.documents())
        .extracting(found -> found.document().content())
        .containsExactlyInAnyOrder("first", "second");
    assertThat(read.documents())
        .allMatch(found -> found.file().equals(folder.defaultFile(found.document().id())));
  }

  @Test
  void aFolderThatWasReadKeepsItsOwnKindOfFiles() throws Exception {
    store(root).create(NOTES, Compression.GZIP);
    CollectionFolder folder = store(root).open(intact(root, 0).getFirst());
    assertThat(folder.defaultFile("a")).endsWith(".gob.gz");
    folder.put(List.of(put(folder, "a", "x")), List.of());
    assertThat(intact(root, 0).getFirst().documents()).hasSize(1);
  }

  @Test
  void collectionsWhoseNamesCollideGetFoldersOfTheirOwn() throws Exception {
    StoreFolder store = store(root);
    assertThat(store.create(new StoredCollection(NAME_A, Map.of()), Compression.PLAIN).name())
        .isEqualTo("dacebbbc");
    assertThat(store.create(new StoredCollection(NAME_B, Map.of()), Compression.PLAIN).name())
        .isEqualTo("dacebbbc-1");
    assertThat(intact(root, 0))
        .extracting(found -> found.collection().name())
        .containsExactly(NAME_A, NAME_B);
  }

  @Test
  void documentsWhoseIdsCollideGetFilesOfTheirOwn() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    List<String> files = folder.freeFiles(List.of(ID_A, ID_B, ID_ZERO), List.of());
    assertThat(files).containsExactly("23590e50.gob", "23590e50-1.gob", "00000000-1.gob");
    folder.put(
        List.of(
            new CollectionFolder.Put(Folders.document(ID_A, "a"), files.get(0)),
            new CollectionFolder.Put(Folders.document(ID_B, "b"), files.get(1)),
            new CollectionFolder.Put(Folders.document(ID_ZERO, "zero"), files.get(2))),
        List.of());
    assertThat(intact(root, 0).getFirst().documents())
        .extracting(found -> found.document().id())
        .containsExactlyInAnyOrder(ID_A, ID_B, ID_ZERO);
  }

  @Test
  void aFileThatNobodyKnowsIsNeverChosen() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    Path path = root.resolve(folder.name());
    Files.createSymbolicLink(path.resolve("23590e50.gob"), path.resolve("nowhere"));
    Files.createDirectory(path.resolve("23590e50-1.gob"));
    assertThat(folder.freeFiles(List.of(ID_A), List.of())).containsExactly("23590e50-2.gob");
  }

  @Test
  void aVacatedFileIsFreeAgain() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    folder.put(List.of(put(folder, ID_A, "x")), List.of());
    assertThat(folder.freeFiles(List.of(ID_B), List.of("23590e50.gob")))
        .containsExactly("23590e50.gob");
  }

  @Test
  void theOtherFilesOfADocumentAreFoundByWhatTheyHold() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    Path path = root.resolve(folder.name());
    folder.put(
        List.of(
            new CollectionFolder.Put(Folders.document(ID_A, "elder"), "23590e50.gob"),
            new CollectionFolder.Put(Folders.document(ID_B, "b"), "23590e50-1.gob"),
            new CollectionFolder.Put(Folders.document(ID_A, "own"), "23590e50-2.gob"),
            new CollectionFolder.Put(Folders.document(ID_A, "zipped"), "23590e50-2.gob.gz")),
        List.of());
    Files.write(path.resolve("23590e50-3.gob"), new byte[] {1});
    Files.createDirectory(path.resolve("23590e50-4.gob"));
    assertThat(folder.others(ID_A, "23590e50-2.gob"))
        .containsExactly("23590e50.gob", "23590e50-2.gob.gz");
    assertThat(folder.others(ID_B, "23590e50-1.gob")).isEmpty();
    assertThat(folder.others("nobody", "")).isEmpty();
  }

  @Test
  void aDocumentThatMayBeInAFileThatCannotBeReadIsRefused() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    Path path = root.resolve(folder.name());
    Files.createSymbolicLink(path.resolve("23590e50.gob"), path.resolve("nowhere"));
    assertThatThrownBy(() -> folder.others(ID_A, ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("may hold the document");
  }

  @Test
  void aCollectionThatLiesThereUnservedIsNotCreatedBesideItself() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = store.create(NOTES, Compression.PLAIN);
    assertThatThrownBy(() -> store.create(NOTES, Compression.PLAIN))
        .isInstanceOf(IOException.class);
    Path metadata = root.resolve(folder.name()).resolve("00000000.gob");
    Files.delete(metadata);
    Files.createSymbolicLink(metadata, root.resolve("nowhere"));
    assertThatThrownBy(() -> store.create(NOTES, Compression.PLAIN))
        .hasMessageContaining("could not be opened");
    Files.delete(metadata);
    Files.write(metadata, new byte[] {1});
    assertThat(store.create(NOTES, Compression.PLAIN).name()).isEqualTo(folder.name() + "-1");
  }

  @Test
  void aCollectionWhoseFolderVanishedCanBeDeleted() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = store.create(NOTES, Compression.PLAIN);
    store.recordModel(folder, new ModelRecord("model", 2));
    Files.delete(root.resolve(folder.name()).resolve("00000000.gob"));
    Files.delete(root.resolve(folder.name()));
    store.trash(folder);
    assertThat(store.model(folder)).isEmpty();
  }

  @Test
  void deletedDocumentsGoToTheTrashAsTheyWere() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    folder.put(
        List.of(put(folder, "a", "1"), put(folder, "b", "2"), put(folder, "c", "3")), List.of());
    byte[] a = Files.readAllBytes(root.resolve(folder.name()).resolve(folder.defaultFile("a")));
    folder.trash(List.of(folder.defaultFile("a"), "absent.gob", folder.defaultFile("b")));
    folder.trash(List.of("absent.gob"));
    Path trash = root.resolve(".contextd/trash");
    String entry = "20261123T231125.123Z-" + folder.name() + ".documents";
    assertThat(names(trash)).containsExactly(entry);
    assertThat(names(trash.resolve(entry))).hasSize(2);
    assertThat(trash.resolve(entry).resolve(folder.defaultFile("a"))).hasBinaryContent(a);
    assertThat(intact(root, 0).getFirst().documents()).hasSize(1);
  }

  @Test
  void twoDeletionsInOneMillisecondKeepBoth() throws Exception {
    CollectionFolder folder = store(root).create(NOTES, Compression.PLAIN);
    for (String content : List.of("first", "second", "third")) {
      folder.put(List.of(put(folder, "a", content)), List.of());
      folder.trash(List.of(folder.defaultFile("a")));
    }
    String entry = "20261123T231125.123Z-" + folder.name() + ".documents";
    assertThat(names(root.resolve(".contextd/trash")))
        .containsExactly(entry, entry + ".2", entry + ".3");
  }

  @Test
  void aDeletedCollectionGoesToTheTrashWithTheRecordOfItsModel() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = store.create(NOTES, Compression.PLAIN);
    folder.put(List.of(put(folder, "a", "1")), List.of());
    store.recordModel(folder, new ModelRecord("model", 2));
    Map<String, String> before = Folders.digests(root.resolve(folder.name()));
    store.trash(folder);
    Path kept = root.resolve(".contextd/trash/20261123T231125.123Z-" + folder.name());
    assertThat(Folders.digests(kept)).containsAllEntriesOf(before).hasSize(before.size() + 1);
    assertThat(kept.resolve("embedding-model.json")).isRegularFile();
    assertThat(intact(root, 0)).isEmpty();
    CollectionFolder namesake = store.create(NOTES, Compression.PLAIN);
    assertThat(namesake.name()).isEqualTo(folder.name());
    assertThat(store.model(namesake)).isEmpty();
  }

  @Test
  void anElderNamesakesModelDoesNotSpeakForTheNewCollection() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = store.create(NOTES, Compression.PLAIN);
    store.recordModel(folder, new ModelRecord("model", 2));
    store.quarantine().move(folder.name(), "", "test", "a reason");
    CollectionFolder namesake = store.create(NOTES, Compression.PLAIN);
    assertThat(store.model(namesake)).isEmpty();
    assertThat(names(root.resolve(".contextd/trash")))
        .containsExactly("20261123T231125.123Z-" + folder.name() + ".json");
  }

  @Test
  void probingLeavesNothingThatChromemGoReads() throws Exception {
    StoreFolder store = store(root.resolve("new/store"));
    store.create();
    store.probeWritable();
    store.probeWritable();
    assertThat(names(root.resolve("new/store"))).containsExactly(".contextd");
    assertThat(names(root.resolve("new/store/.contextd"))).containsExactly("writable");
  }

  @Test
  void aRootWhoseOwnFolderIsALinkIsNotWritten() throws Exception {
    Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    Path store = Files.createDirectory(root.resolve("store"));
    Files.createSymbolicLink(store.resolve(".contextd"), elsewhere);
    assertThatThrownBy(() -> store(store).probeWritable())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a link");
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void nothingOfOursCanBeTakenForADocument() throws Exception {
    StoreFolder store = store(root);
    store.probeWritable();
    CollectionFolder folder = store.create(NOTES, Compression.PLAIN);
    folder.put(List.of(put(folder, "a", "1"), put(folder, "b", "2")), List.of());
    store.recordModel(folder, new ModelRecord("model", 2));
    folder.trash(List.of(folder.defaultFile("a")));
    store.quarantine().move(folder.name(), folder.defaultFile("b"), "test", "a reason");
    store.trash(folder);
    try (Stream<Path> walk = Files.walk(root, 2)) {
      assertThat(walk.map(Path::toString)).noneMatch(path -> path.contains(".gob"));
    }
    assertThat(Folders.digests(root).keySet()).filteredOn(name -> name.contains(".gob")).hasSize(3);
  }
}
