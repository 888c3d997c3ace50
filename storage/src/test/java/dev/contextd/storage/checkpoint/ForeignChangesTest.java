package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static dev.contextd.storage.checkpoint.Opened.foreign;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What happened to the gob files between two openings: the work of another program is adopted and
 * our version kept, a loss is mended from our packs, rot is not served.
 */
class ForeignChangesTest {
  private static final String VERSIONS = FOLDER + ".versions/";

  @TempDir Path temp;

  private Path root() {
    return temp.resolve("store");
  }

  private Path folder() {
    return root().resolve(FOLDER);
  }

  @BeforeEach
  void writeThreeNotes() throws Exception {
    Files.createDirectory(root());
    try (Opened store = Opened.of(root()).create(NOTES).put("a", "1", "b", "2", "c", "3")) {
      assertThat(store.notes()).hasSize(3);
    }
  }

  private static Map<String, String> notes(String... idsAndContents) {
    Map<String, String> notes = new TreeMap<>();
    for (int i = 0; i < idsAndContents.length; i += 2) {
      notes.put(idsAndContents[i], idsAndContents[i + 1]);
    }
    return notes;
  }

  /** Opens it twice more: what was settled stays settled, and nothing is left to say. */
  private void requireSettled(Map<String, String> expected) throws IOException {
    for (int opening = 0; opening < 2; opening++) {
      try (Opened again = Opened.of(root())) {
        assertThat(again.notes()).isEqualTo(expected);
        assertThat(again.damage()).isEmpty();
      }
    }
  }

  @Test
  void nothingChanged() throws Exception {
    requireSettled(notes("a", "1", "b", "2", "c", "3"));
  }

  @Test
  void aChangedDocumentIsAdoptedAndOurVersionKept() throws Exception {
    foreign(folder().resolve(file("b")), document("b", "another program's"));
    try (Opened store = Opened.of(root())) {
      assertThat(store.damage()).containsExactly("DocumentChanged");
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "another program's", "c", "3"));
      store.checkpoint();
      assertThat(store.trash()).isEqualTo(Map.of(VERSIONS + file("b"), "2"));
    }
    requireSettled(notes("a", "1", "b", "another program's", "c", "3"));
  }

  @Test
  void aChangedDocumentIsAdoptedThoughACrashCameBeforeTheCheckpoint() throws Exception {
    foreign(folder().resolve(file("b")), document("b", "another program's"));
    Opened store = Opened.of(root());
    Path crashed = store.crashedTo(temp.resolve("crashed"));
    store.close();
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.notes()).isEqualTo(notes("a", "1", "b", "another program's", "c", "3"));
      again.checkpoint();
      assertThat(again.trash()).isEqualTo(Map.of(VERSIONS + file("b"), "2"));
    }
  }

  @Test
  void whatWasDeletedBeforeACrashIsKeptThoughAnotherProgramWroteTheDocument() throws Exception {
    Path crashed;
    try (Opened store = Opened.of(root())) {
      store.remove("b").put("b", "again").remove("b").put("b", "replaced").put("b", "last");
      crashed = store.crashedTo(temp.resolve("crashed"));
    }
    foreign(crashed.resolve(FOLDER).resolve(file("b")), document("b", "another program's"));
    try (Opened store = Opened.of(crashed)) {
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "another program's", "c", "3"));
      store.checkpoint();
      assertThat(store.trash().values()).containsExactlyInAnyOrder("2", "again", "last");
    }
  }

  @Test
  void aChangedDocumentThatCannotBeSearchedStaysWhereItIs() throws Exception {
    StoredDocument wide = new StoredDocument("b", null, new float[] {1, 0, 0, 0, 0}, "wide");
    foreign(folder().resolve(file("b")), wide);
    Opened store = Opened.of(root());
    assertThat(store.damage()).contains("DimensionMismatch");
    assertThat(store.notes()).containsEntry("a", "1").containsEntry("c", "3");
    store.checkpoint();
    assertThat(document(folder().resolve(file("b"))).content())
        .as("what is damaged is for the quarantine to move, not for the checkpoint")
        .isEqualTo("wide");
    assertThat(store.trash()).isEqualTo(Map.of(VERSIONS + file("b"), "2"));
    store.closeDamaged();
  }

  @Test
  void anAddedDocumentIsAdoptedAndPacked() throws Exception {
    foreign(folder().resolve(file("d")), document("d", "4"));
    try (Opened store = Opened.of(root())) {
      assertThat(store.damage()).isEmpty();
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3", "d", "4"));
    }
    Files.delete(folder().resolve(file("d")));
    try (Opened store = Opened.of(root())) {
      assertThat(store.damage()).containsExactly("DocumentMissing");
      assertThat(store.notes()).as("from the pack").containsEntry("d", "4");
      store.memory(NOTES).kept.rewrite("d");
    }
    requireSettled(notes("a", "1", "b", "2", "c", "3", "d", "4"));
  }

  @Test
  void oneDocumentThatIsGoneIsALossAndServedFromItsPack() throws Exception {
    Files.delete(folder().resolve(file("b")));
    try (Opened store = Opened.of(root())) {
      assertThat(store.only(Damage.DocumentMissing.class).id()).isEqualTo("b");
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3"));
      store.memory(NOTES).kept.rewrite("b");
    }
    requireSettled(notes("a", "1", "b", "2", "c", "3"));
  }

  @Test
  void aSpoiledDocumentIsServedFromItsPack() throws Exception {
    Files.write(folder().resolve(file("b")), new byte[] {1, 2, 3});
    try (Opened store = Opened.of(root())) {
      assertThat(store.only(Damage.DocumentSpoiled.class).id()).isEqualTo("b");
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3"));
      store.memory(NOTES).kept.rewrite("b");
      store.checkpoint();
    }
    requireSettled(notes("a", "1", "b", "2", "c", "3"));
  }

  @Test
  void rotThatKeepsSizeAndTimeIsNotServed() throws Exception {
    Path file = folder().resolve(file("b"));
    FileTime time = Files.getLastModifiedTime(file);
    byte[] bytes = Files.readAllBytes(file);
    int at = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf('2');
    bytes[at] = 'X';
    Files.write(file, bytes);
    Files.setLastModifiedTime(file, time);
    assertThat(document(file).content()).isEqualTo("X");
    Opened store = Opened.of(root());
    assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3"));
    store.closeDamaged();
  }

  @Test
  void aDeletedFolderIsADeletedCollectionAndCanBeRestored() throws Exception {
    deleteFolder();
    try (Opened store = Opened.of(root())) {
      assertThat(store.only(Damage.CollectionVanished.class).documents()).isEqualTo(3);
      assertThat(store.contents()).isEmpty();
      assertThat(folder()).doesNotExist();
      store.checkpoint();
      assertThat(store.trash())
          .isEqualTo(
              Map.of(
                  FOLDER + "/" + file("a"), "1",
                  FOLDER + "/" + file("b"), "2",
                  FOLDER + "/" + file("c"), "3"));
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.damage()).as("said once").isEmpty();
      assertThat(store.contents()).isEmpty();
      store.create(NOTES).put("d", "a new one");
    }
    requireSettled(notes("d", "a new one"));
  }

  private void deleteFolder() throws IOException {
    try (Stream<Path> files = Files.list(folder())) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder());
  }

  @Test
  void aDeletedFolderWithAcknowledgedWritesInTheJournalIsMadeAgain() throws Exception {
    Opened store = Opened.of(root()).put("d", "acknowledged");
    Path crashed = store.crashedTo(temp.resolve("crashed"));
    store.close();
    for (String name : Opened.names(crashed.resolve(FOLDER))) {
      Files.delete(crashed.resolve(FOLDER).resolve(name));
    }
    Files.delete(crashed.resolve(FOLDER));
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3", "d", "acknowledged"));
    }
  }

  @Test
  void aRecreatedCollectionHasOnlyWhatTheOtherProgramPutThere() throws Exception {
    deleteFolder();
    Files.createDirectory(folder());
    StoredCollection stored = new StoredCollection(NOTES, Map.of("k", "v"));
    Files.write(folder().resolve("00000000.gob"), MetadataFormat.encode(stored, Compression.PLAIN));
    Files.setLastModifiedTime(folder().resolve("00000000.gob"), FileTime.fromMillis(1));
    foreign(folder().resolve(file("a")), document("a", "theirs"));
    try (Opened store = Opened.of(root())) {
      assertThat(store.damage())
          .containsExactlyInAnyOrder("DocumentChanged", "CollectionRecreated");
      assertThat(store.notes()).isEqualTo(notes("a", "theirs"));
      store.checkpoint();
      assertThat(store.trash().values()).containsExactlyInAnyOrder("1", "2", "3");
    }
    requireSettled(notes("a", "theirs"));
  }

  @Test
  void aLostMetadataFileIsNoLostCollection() throws Exception {
    Files.delete(folder().resolve("00000000.gob"));
    try (Opened store = Opened.of(root())) {
      assertThat(store.damage()).containsExactly("MetadataSpoiled");
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3"));
      store.memory(NOTES).kept.rewriteMetadata();
    }
    requireSettled(notes("a", "1", "b", "2", "c", "3"));
  }

  @Test
  void aCopyOfTheFolderElsewhereIsTheSameStoreAndMissingFilesAreLosses() throws Exception {
    Path copy = temp.resolve("copy");
    try (Stream<Path> walk = Files.walk(root())) {
      for (Path path : walk.toList()) { // with new times, as a plain copy has them
        Path target = copy.resolve(root().relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target);
          Files.setLastModifiedTime(target, FileTime.fromMillis(1_000));
        }
      }
    }
    Files.delete(copy.resolve(FOLDER).resolve(file("b")));
    try (Opened store = Opened.of(copy)) {
      assertThat(store.damage()).containsExactly("DocumentMissing");
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3"));
      store.memory(NOTES).kept.rewrite("b");
      store.put("d", "4");
    }
    try (Opened store = Opened.of(copy)) {
      assertThat(store.damage()).isEmpty();
      assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3", "d", "4"));
    }
    requireSettled(notes("a", "1", "b", "2", "c", "3"));
  }

  @Test
  void anEntirelyForeignStoreIsAdoptedAndSurvivesACrashBeforeItsFirstCheckpoint() throws Exception {
    FixtureData.copy("plain", temp.resolve("foreign"));
    Opened store = Opened.of(temp.resolve("foreign"));
    assertThat(store.damage()).isEmpty();
    Map<String, Map<String, String>> contents = store.contents();
    assertThat(contents.values().stream().mapToInt(Map::size).sum()).isEqualTo(46);
    for (int crash = 0; crash < 2; crash++) {
      try (Opened again = Opened.of(store.crashedTo(temp.resolve("crashed-" + crash)))) {
        assertThat(again.contents()).isEqualTo(contents);
        assertThat(again.damage()).isEmpty();
      }
      store.checkpoint();
    }
    store.close();
  }

  @Test
  void aSecondFileOfADocumentIsNoReasonToForgetOurs() throws Exception {
    Path stray = folder().resolve(Names.hash("a") + "-7.gob");
    foreign(stray, document("a", "1"));
    Files.setLastModifiedTime(stray, FileTime.fromMillis(1));
    Opened store = Opened.of(root());
    assertThat(store.damage()).hasSize(1).isSubsetOf(List.of("DocumentCopy", "DocumentDuplicate"));
    assertThat(store.notes()).isEqualTo(notes("a", "1", "b", "2", "c", "3"));
    store.closeDamaged();
  }
}
