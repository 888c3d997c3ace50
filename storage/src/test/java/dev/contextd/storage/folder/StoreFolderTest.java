package dev.contextd.storage.folder;

import static dev.contextd.storage.folder.Folders.intact;
import static dev.contextd.storage.folder.Folders.store;
import static dev.contextd.storage.folder.Folders.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Names;
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

  @TempDir Path root;

  private static CollectionFolder create(
      StoreFolder store, StoredCollection collection, Compression compression) throws IOException {
    return store.create(collection, compression, _ -> false);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> folder.relativize(path).toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void whatIsWrittenIsWhatTheCheckReads(Compression compression) throws Exception {
    CollectionFolder folder = create(store(root), NOTES, compression);
    write(folder, "a", "first");
    write(folder, "b", "second");
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
    create(store(root), NOTES, Compression.GZIP);
    IntactCollection read = intact(root, 0).getFirst();
    CollectionFolder folder = store(root).open(Names.hash("notes"), read.compression());
    assertThat(folder.defaultFile("a")).endsWith(".gob.gz");
    write(folder, "a", "x");
    assertThat(intact(root, 0).getFirst().documents()).hasSize(1);
  }

  /** As a kill between the folder and its metadata leaves it: chromem-go opens no such store. */
  @Test
  void aFolderThatACreationLeftBehindIsUsed() throws Exception {
    Path left = Files.createDirectory(root.resolve(Names.hash("notes")));
    Files.write(left.resolve("00000000.gob.0.tmp"), new byte[] {1, 2});
    assertThat(store(root).create(NOTES, Compression.PLAIN, left::endsWith).name())
        .as("a known one is its collection's")
        .isEqualTo(left.getFileName() + "-1");
    assertThat(create(store(root), new StoredCollection("notes", null), Compression.PLAIN).path())
        .isEqualTo(left);
    assertThat(names(left)).containsExactly("00000000.gob", "00000000.gob.0.tmp");
  }

  @Test
  void collectionsWhoseNamesCollideGetFoldersOfTheirOwn() throws Exception {
    StoreFolder store = store(root);
    assertThat(create(store, new StoredCollection(NAME_A, Map.of()), Compression.PLAIN).name())
        .isEqualTo("dacebbbc");
    assertThat(create(store, new StoredCollection(NAME_B, Map.of()), Compression.PLAIN).name())
        .isEqualTo("dacebbbc-1");
    assertThat(intact(root, 0))
        .extracting(found -> found.collection().name())
        .containsExactly(NAME_A, NAME_B);
  }

  @Test
  void aCollectionThatLiesThereUnservedIsNotCreatedBesideItself() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = create(store, NOTES, Compression.PLAIN);
    assertThatThrownBy(() -> create(store, NOTES, Compression.PLAIN))
        .isInstanceOf(IOException.class);
    Path metadata = root.resolve(folder.name()).resolve("00000000.gob");
    Files.delete(metadata);
    Files.createSymbolicLink(metadata, root.resolve("nowhere"));
    assertThatThrownBy(() -> create(store, NOTES, Compression.PLAIN))
        .hasMessageContaining("could not be opened");
    Files.delete(metadata);
    Files.write(metadata, new byte[] {1});
    assertThat(create(store, NOTES, Compression.PLAIN).name()).isEqualTo(folder.name() + "-1");
  }

  @Test
  void aCollectionWhoseFolderVanishedCanBeDeleted() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = create(store, NOTES, Compression.PLAIN);
    store.recordModel(folder, new ModelRecord("model", 2));
    Files.delete(root.resolve(folder.name()).resolve("00000000.gob"));
    Files.delete(root.resolve(folder.name()));
    store.trash(folder.name());
    assertThat(store.model(folder)).isEmpty();
  }

  @Test
  void aDeletedCollectionGoesToTheTrashWithTheRecordOfItsModel() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = create(store, NOTES, Compression.PLAIN);
    write(folder, "a", "1");
    store.recordModel(folder, new ModelRecord("model", 2));
    Map<String, String> before = Folders.digests(root.resolve(folder.name()));
    store.trash(folder.name());
    Path kept = root.resolve(".contextd/trash/20261123T231125.123Z-" + folder.name());
    assertThat(Folders.digests(kept)).containsAllEntriesOf(before).hasSize(before.size() + 1);
    assertThat(kept.resolve("embedding-model.json")).isRegularFile();
    assertThat(intact(root, 0)).isEmpty();
    CollectionFolder namesake = create(store, NOTES, Compression.PLAIN);
    assertThat(namesake.name()).isEqualTo(folder.name());
    assertThat(store.model(namesake)).isEmpty();
  }

  @Test
  void anElderNamesakesModelDoesNotSpeakForTheNewCollection() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder = create(store, NOTES, Compression.PLAIN);
    store.recordModel(folder, new ModelRecord("model", 2));
    store.quarantine().move(folder.name(), "", "test", "a reason");
    CollectionFolder namesake = create(store, NOTES, Compression.PLAIN);
    assertThat(store.model(namesake)).isEmpty();
    assertThat(names(root.resolve(".contextd/trash")))
        .containsExactly("20261123T231125.123Z-" + folder.name() + ".json");
  }

  @Test
  void probingLeavesNothingThatChromemGoReads() throws Exception {
    StoreFolder store = store(root.resolve("new/store"));
    store.prepare();
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
    assertThatThrownBy(() -> store(store).prepare())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a link");
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void nothingOfOursCanBeTakenForADocument() throws Exception {
    StoreFolder store = store(root);
    store.prepare();
    store.probeWritable();
    CollectionFolder folder = create(store, NOTES, Compression.PLAIN);
    write(folder, "b", "2");
    store.recordModel(folder, new ModelRecord("model", 2));
    store.quarantine().move(folder.name(), folder.defaultFile("b"), "test", "a reason");
    store.trash(folder.name());
    try (Stream<Path> walk = Files.walk(root, 2)) {
      assertThat(walk.map(Path::toString)).noneMatch(path -> path.contains(".gob"));
    }
    assertThat(Folders.digests(root).keySet()).filteredOn(name -> name.contains(".gob")).hasSize(2);
  }
}
