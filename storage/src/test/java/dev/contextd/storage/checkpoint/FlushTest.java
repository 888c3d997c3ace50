package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static dev.contextd.storage.checkpoint.Opened.foreign;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import dev.contextd.storage.disk.RealDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a checkpoint does to the gob files of a collection, and what it leaves alone. */
class FlushTest {
  private static final String ID_A = "doc-17633";
  private static final String ID_B = "doc-29150";
  private static final String ID_ZERO = "doc-7113356497";
  private static final String VERSIONS = FOLDER + ".versions/";
  private static final String DELETED = FOLDER + ".documents/";

  @TempDir Path temp;

  private Path root() {
    return temp.resolve("store");
  }

  private Opened open() throws IOException {
    Files.createDirectories(root());
    return Opened.of(root());
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void whatWasPutIsInItsOwnFileAfterACheckpoint(Compression compression) throws Exception {
    try (Opened store = open().create(NOTES, compression).put("a", "1", "b", "2").checkpoint()) {
      assertThat(Opened.names(store.folder()))
          .allMatch(name -> name.endsWith(compression.extension()))
          .hasSize(3);
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("a", "1", "b", "2"));
      assertThat(store.trash()).isEmpty();
    }
  }

  @Test
  void documentsWhoseIdsCollideGetFilesOfTheirOwn() throws Exception {
    try (Opened store = open().create(NOTES)) {
      store.put(ID_A, "a", ID_B, "b", ID_ZERO, "zero").checkpoint();
      assertThat(Opened.names(store.folder()))
          .containsExactly("00000000-1.gob", "00000000.gob", "23590e50-1.gob", "23590e50.gob");
      assertThat(document(store.folder().resolve("23590e50.gob")).id()).isEqualTo(ID_A);
      store.put(ID_B, "b again").checkpoint();
      assertThat(Opened.names(store.folder())).hasSize(4);
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).isEqualTo(Map.of(ID_A, "a", ID_B, "b again", ID_ZERO, "zero"));
      assertThat(store.damage()).isEmpty();
    }
  }

  @Test
  void aFileThatTheEndOfTheProcessLeftTornIsWrittenAgain() throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("a", "1", "b", "2");
    disk.fault((operation, _) -> {
      if (operation == Operation.SYNC_ALL) {
        throw new IOException("No space left on device");
      }
    });
    assertThatThrownBy(store::checkpoint).hasMessage("No space left on device");
    byte[] whole = Files.readAllBytes(store.folder().resolve(file("a")));
    for (int length = 0; length < whole.length; length++) {
      Path crashed = store.crashedTo(temp.resolve("crashed-" + length));
      Path torn = crashed.resolve(FOLDER).resolve(file("a"));
      Files.write(torn, Arrays.copyOf(whole, length));
      try (Opened again = Opened.of(crashed)) {
        assertThat(again.notes()).as("%d bytes", length).isEqualTo(Map.of("a", "1", "b", "2"));
        assertThat(again.damage()).isEmpty();
        again.checkpoint();
        assertThat(torn).hasBinaryContent(whole);
      }
    }
    disk.heal();
    store.close();
  }

  @Test
  void aFileThatAppearsBesideAWriteIsNotWrittenOver() throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    try (Opened store = Opened.of(root(), disk).create(NOTES).put("a", "ours")) {
      disk.fault((operation, path) -> {
        if (operation == Operation.REPLACE && path.endsWith(file("a"))) {
          disk.heal();
          foreign(path, document("a", "another program's"));
        }
      });
      assertThatThrownBy(store::checkpoint).isInstanceOf(IOException.class);
      store.checkpoint();
      assertThat(store.trash()).isEqualTo(Map.of(VERSIONS + file("a"), "another program's"));
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("a", "ours"));
    }
  }

  @Test
  void aMissingFileIsNotGivenToAnotherDocumentOfItsHash() throws Exception {
    try (Opened store = open().create(NOTES).put(ID_A, "a").checkpoint()) {
      Files.delete(store.folder().resolve("23590e50.gob"));
      store.put(ID_B, "b").memory(NOTES).kept.rewrite(ID_A);
      store.checkpoint();
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of(ID_A, "a", ID_B, "b"));
    }
  }

  /** The disk works while the rest of a long checkpoint is being written, not only afterwards. */
  @Test
  void aLongCheckpointIsWrittenBackBeforeItIsSynced() throws Exception {
    Files.createDirectories(root());
    List<String> calls = new ArrayList<>();
    Disk disk =
        new RealDisk() {
          @Override
          public void writeBackSoon(Path root) throws IOException {
            calls.add("write back");
            super.writeBackSoon(root);
          }

          @Override
          public void syncAll(Path root) throws IOException {
            calls.add("sync");
            super.syncAll(root);
          }
        };
    List<StoredDocument> many =
        IntStream.range(0, 2 * CollectionFlush.WRITE_BACK_DOCUMENTS + 1)
            .mapToObj(i -> document("doc-" + i, "text"))
            .toList();
    try (Opened store = Opened.of(root(), disk).create(NOTES)) {
      calls.clear();
      store.put(NOTES, many).checkpoint();
      assertThat(calls).containsSubsequence("write back", "write back", "sync");
      store.put("one", "more").checkpoint();
      assertThat(calls.subList(3, calls.size())).doesNotContain("write back");
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).hasSize(many.size() + 1);
      assertThat(store.damage()).isEmpty();
    }
  }

  @Test
  void aFileThatADeletedDocumentLeftIsFreeAgain() throws Exception {
    try (Opened store = open().create(NOTES).put(ID_A, "a").checkpoint()) {
      store.remove(ID_A).put(ID_B, "b").checkpoint();
      assertThat(Opened.names(store.folder())).containsExactly("00000000.gob", "23590e50.gob");
    }
  }

  @Test
  void linksAndFoldersInTheWayAreNotWrittenOver() throws Exception {
    Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "precious");
    Opened store = open().create(NOTES);
    Files.createSymbolicLink(store.folder().resolve("23590e50.gob"), elsewhere);
    Files.createDirectory(store.folder().resolve("23590e50-1.gob"));
    store.put(ID_A, "a").checkpoint();
    assertThat(document(store.folder().resolve("23590e50-2.gob")).content()).isEqualTo("a");
    assertThat(elsewhere).hasContent("precious");
    assertThat(store.folder().resolve("23590e50-1.gob")).isEmptyDirectory();
    store.closeDamaged();
  }

  @Test
  void aLinkInPlaceOfAKnownFileGoesToTheTrash() throws Exception {
    Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "precious");
    try (Opened store = open().create(NOTES).put("a", "1").checkpoint()) {
      Path file = store.folder().resolve(file("a"));
      Files.delete(file);
      Files.createSymbolicLink(file, elsewhere);
      store.put("a", "2").checkpoint();
      assertThat(file).isRegularFile();
      assertThat(elsewhere).hasContent("precious");
      Path trash = root().resolve(".contextd/trash");
      Path entry = trash.resolve(Opened.names(trash).getFirst());
      assertThat(entry.resolve(file("a"))).isSymbolicLink();
    }
  }

  @Test
  void aForeignVersionGoesToTheTrashBeforeItIsWrittenOver() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "ours").checkpoint()) {
      foreign(store.folder().resolve(file("a")), document("a", "another program's"));
      store.put("a", "ours again").checkpoint();
      assertThat(store.trash()).isEqualTo(Map.of(VERSIONS + file("a"), "another program's"));
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("a", "ours again"));
    }
  }

  @Test
  void otherFilesOfANewDocumentGoToTheTrashAndThoseOfOthersStay() throws Exception {
    try (Opened store = open().create(NOTES).put(ID_B, "b").checkpoint()) {
      Path folder = store.folder();
      foreign(folder.resolve("23590e50-1.gob"), document(ID_A, "elder"));
      store.put(ID_A, "a").checkpoint();
      assertThat(Opened.documents(folder)).isEqualTo(Map.of(ID_A, "a", ID_B, "b"));
      assertThat(store.trash().values()).containsExactly("elder");
    }
  }

  /** So many that the folder is listed once, instead of asking for each name. */
  private static String[] manyWith(String... more) {
    return Stream.concat(
            IntStream.range(0, 200).boxed().flatMap(i -> Stream.of("many-" + i, "m")),
            Arrays.stream(more))
        .toArray(String[]::new);
  }

  @Test
  void foreignVersionsOfManyNewDocumentsGoToTheTrash() throws Exception {
    try (Opened store = open().create(NOTES).put(ID_B, "b").checkpoint()) {
      Path folder = store.folder();
      foreign(folder.resolve("23590e50-1.gob"), document(ID_A, "elder"));
      foreign(folder.resolve(file("many-7")), document("many-7", "another program's"));
      foreign(folder.resolve(file("many-8") + ".gz"), document("many-8", "packed"));
      store.put(manyWith(ID_A, "a")).checkpoint();
      assertThat(Opened.documents(folder))
          .hasSize(202)
          .containsAllEntriesOf(Map.of(ID_A, "a", ID_B, "b", "many-7", "m", "many-8", "m"));
      assertThat(store.trash().values())
          .containsExactlyInAnyOrder("elder", "another program's", "packed");
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).hasSize(202).containsEntry("many-8", "m");
    }
  }

  @Test
  void aFileThatCameAfterTheListingIsNotWrittenOver() throws Exception {
    Disk disk =
        new RealDisk() {
          @Override
          public List<String> names(Path directory) throws IOException {
            List<String> names = super.names(directory);
            foreign(directory.resolve(file("many-7")), document("many-7", "another program's"));
            return names;
          }
        };
    Files.createDirectories(root());
    try (Opened store = Opened.of(root(), disk).create(NOTES)) {
      store.put(manyWith()).checkpoint();
      assertThat(Opened.names(store.folder())).hasSize(201).contains(file("many-7"));
      assertThat(Opened.documents(store.folder())).containsEntry("many-7", "m");
      assertThat(store.trash()).isEqualTo(Map.of(VERSIONS + file("many-7"), "another program's"));
    }
  }

  @Test
  void deletedDocumentsGoToTheTrashAsTheyWere() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "1", "b", "2", "c", "3").checkpoint()) {
      byte[] a = Files.readAllBytes(store.folder().resolve(file("a")));
      store.remove("a", "b", "absent").checkpoint();
      assertThat(store.trash())
          .isEqualTo(Map.of(DELETED + file("a"), "1", DELETED + file("b"), "2"));
      Path trash = root().resolve(".contextd/trash");
      assertThat(trash.resolve(Opened.names(trash).getFirst()).resolve(file("a")))
          .hasBinaryContent(a);
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).isEqualTo(Map.of("c", "3"));
      assertThat(store.damage()).isEmpty();
    }
  }

  @Test
  void whatWasDeletedGoesToTheTrashEvenWhereItIsThereAgain() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "1", "b", "2").checkpoint()) {
      store.put("b", "3").remove("a", "b").put("a", "again", "b", "again").put("a", "more");
      store.checkpoint();
      assertThat(store.trash())
          .isEqualTo(Map.of(DELETED + file("a"), "1", DELETED + file("b"), "3"));
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("a", "more", "b", "again"));
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).isEqualTo(Map.of("a", "more", "b", "again"));
      assertThat(store.damage()).isEmpty();
    }
  }

  @Test
  void aDeletionBeforeAVersionIsKeptThroughAFailedCheckpoint() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Files.createDirectories(root());
    try (Opened store = Opened.of(root(), disk).create(NOTES).put("a", "1").checkpoint()) {
      store.remove("a").put("a", "again");
      disk.fault((operation, _) -> {
        if (operation == Operation.SYNC_ALL) {
          throw new IOException("No space left on device");
        }
      });
      assertThatThrownBy(store::checkpoint).isInstanceOf(IOException.class);
      disk.heal();
      store.put("a", "more").checkpoint();
      assertThat(store.trash().values()).contains("1");
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("a", "more"));
    }
  }

  @Test
  void whatWasPutAndDeletedBetweenTwoCheckpointsGoesToTheTrashToo() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "old").checkpoint()) {
      store.put("a", "new", "b", "short-lived").remove("a", "b").checkpoint();
      assertThat(store.trash())
          .isEqualTo(Map.of(DELETED + file("a"), "new", DELETED + file("b"), "short-lived"));
      assertThat(Opened.documents(store.folder())).isEmpty();
    }
  }

  @Test
  void whatIsDeletedWhileItsCheckpointIsMadeGoesToTheTrashToo() throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    try (Opened store = Opened.of(root(), disk).create(NOTES).put("z", "written").checkpoint()) {
      store.put("a", "unwritten", "b", "stays").remove("z");
      disk.beforeNextMove(() -> {
        store.remove("a"); // The checkpoint has begun, and a is not in its file yet.
      });
      store.checkpoint().checkpoint();
      assertThat(store.trash().values()).containsExactlyInAnyOrder("written", "unwritten");
      assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("b", "stays"));
    }
  }

  /** A checkpoint copies from memory, which was ahead of what the damaged journal still tells. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aVersionThatOnlyTheCheckpointHasIsKeptAndItsLossReported(boolean isDeletedInBetween)
      throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("z", "goes first").checkpoint();
    store.put("a", "first").remove("z");
    disk.beforeNextMove(() -> {
      store.put("a", "second"); // The checkpoint has begun, and a is not in its file yet.
      if (isDeletedInBetween) {
        store.remove("a");
      }
      store.put("a", "third");
    });
    store.checkpoint();
    assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("a", "third"));
    Path crashed = store.crashedTo(temp.resolve("crashed"));
    store.close();
    Path segment = newestSegment(crashed);
    byte[] whole = Files.readAllBytes(segment);
    int end = whole.length;
    while (whole[end - 1] == 0) {
      end--; // Room for more.
    }
    Files.write(segment, Arrays.copyOf(whole, end - 1)); // Of the third.
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.damage()).contains("JournalDamaged");
      assertThat(again.notes()).isEqualTo(isDeletedInBetween ? Map.of() : Map.of("a", "second"));
      assertThat(again.checkpoint().trash().values()).contains("third");
    }
  }

  /** Nothing behind it says that it was there; the manifest does. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theNewestSegmentIsMissedWhereItIsGoneWhole(boolean leavesItsFile) throws Exception {
    Files.createDirectories(root());
    Opened store = Opened.of(root()).create(NOTES).put("a", "1").checkpoint();
    store.checkpoint(); // With nothing to do, and the same segment waits.
    store.put("b", "2");
    Path crashed = store.crashedTo(temp.resolve("crashed"));
    store.close();
    Path segment = newestSegment(crashed);
    if (leavesItsFile) {
      Files.write(segment, new byte[] {});
    } else {
      Files.delete(segment);
    }
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.only(Damage.JournalDamaged.class).file())
          .isEqualTo(String.valueOf(segment.getFileName()));
      assertThat(again.put("c", "3").notes()).isEqualTo(Map.of("a", "1", "c", "3"));
    }
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.damage()).isEmpty();
      assertThat(again.notes()).isEqualTo(Map.of("a", "1", "c", "3"));
    }
  }

  @Test
  void nothingIsMissedOfAStoreThatWasKilledWhileNobodyWrote() throws Exception {
    Files.createDirectories(root());
    Opened store = Opened.of(root()).create(NOTES).put("a", "1").checkpoint();
    for (int checkpoint = 0; checkpoint < 3; checkpoint++) {
      store.checkpoint();
      Path crashed = store.crashedTo(temp.resolve("crashed " + checkpoint));
      try (Opened again = Opened.of(crashed)) {
        assertThat(again.damage()).isEmpty();
        assertThat(again.notes()).isEqualTo(Map.of("a", "1"));
      }
    }
    store.close();
  }

  private static Path newestSegment(Path root) throws IOException {
    try (Stream<Path> files = Files.list(root.resolve(".contextd/journal"))) {
      return files.max(Comparator.naturalOrder()).orElseThrow();
    }
  }

  /** Its gob file was written by a checkpoint that failed, and the journal tells of it no more. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsDeletedWhileItsCheckpointIsMadeLeavesNoFileToComeBack(boolean isPutAgain)
      throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("z", "goes first").checkpoint();
    disk.fault((operation, _) -> {
      if (operation == Operation.SYNC_ALL) {
        throw new IOException("No space left on device");
      }
    });
    store.put("a", "written, and not covered");
    assertThatThrownBy(store::checkpoint).hasMessage("No space left on device");
    assertThat(store.folder().resolve(file("a"))).exists();
    store.remove("z");
    disk.beforeNextMove(() -> {
      store.remove("a"); // The checkpoint has begun and taken its put.
    });
    store.checkpoint();
    if (isPutAgain) {
      store.put("a", "put again");
    }
    try (Opened crashed = Opened.of(store.crashedTo(temp.resolve("crashed")))) {
      assertThat(crashed.notes()).isEqualTo(isPutAgain ? Map.of("a", "put again") : Map.of());
      assertThat(crashed.damage()).isEmpty();
    }
    assertThat(store.trash().values())
        .containsExactlyInAnyOrder("goes first", "written, and not covered");
    store.close();
  }

  @Test
  void whatIsDeletedAndPutAgainWhileItsCheckpointIsMadeIsWrittenAsItIs() throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("z", "goes first").checkpoint();
    store.put(ID_A, "first", ID_B, "b").remove("z");
    disk.fault((operation, path) -> {
      if (operation == Operation.MOVE) {
        store.remove(ID_A); // The checkpoint has begun and taken its put.
      } else if (operation == Operation.REPLACE && path.startsWith(store.folder())) {
        disk.heal();
        store.put(ID_A, "second"); // Looked for and not found, it is there again.
      }
    });
    store.checkpoint();
    assertThat(Opened.documents(store.folder())).isEqualTo(Map.of(ID_A, "second", ID_B, "b"));
    try (Opened crashed = Opened.of(store.crashedTo(temp.resolve("crashed")))) {
      assertThat(crashed.notes()).isEqualTo(Map.of(ID_A, "second", ID_B, "b"));
      assertThat(crashed.damage()).isEmpty();
    }
    store.close();
  }

  @Test
  void twoDeletionsInOneMillisecondKeepBoth() throws Exception {
    try (Opened store = open().create(NOTES)) {
      for (String content : List.of("first", "second", "third")) {
        store.put("a", content).checkpoint().remove("a").checkpoint();
      }
      assertThat(store.trash().values()).containsExactlyInAnyOrder("first", "second", "third");
    }
  }

  @Test
  void aForeignVersionOfADocumentThatIsDeletedUnwrittenIsKept() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "1").checkpoint()) {
      foreign(store.folder().resolve(file("a")), document("a", "another program's"));
      foreign(store.folder().resolve(file("b")), document("b", "another program's b"));
      store.put("a", "2", "b", "3").remove("a", "b").checkpoint();
      assertThat(Opened.documents(store.folder())).isEmpty();
      assertThat(store.trash().values())
          .containsExactlyInAnyOrder("2", "3", "another program's", "another program's b");
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).as("deleted documents stay deleted").isEmpty();
    }
  }

  @Test
  void aDeletedCollectionGoesToTheTrashWithAllThatWasAcknowledged() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "1", "b", "2").checkpoint()) {
      store.put("b", "never in a file", "c", "3").remove("a");
      store.drop(NOTES);
      assertThat(store.folder()).doesNotExist();
      assertThat(store.trash())
          .containsEntry(FOLDER + "/" + file("b"), "never in a file")
          .containsEntry(FOLDER + "/" + file("c"), "3");
      store.create(NOTES).put("a", "of the namesake");
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.notes()).isEqualTo(Map.of("a", "of the namesake"));
      assertThat(store.damage()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Operation.class,
      names = {"CREATE", "APPEND", "REPLACE", "SYNC_ALL", "MOVE", "REMOVE"})
  void aCheckpointThatFailsIsMadeAgainAndLosesNothing(Operation operation) throws Exception {
    for (int nth = 0; nth < 4; nth++) {
      Path root = Files.createDirectories(temp.resolve(operation + "-" + nth));
      FaultyDisk disk = new FaultyDisk();
      Opened store = Opened.of(root, disk);
      store.create(NOTES).put("a", "1", "b", "2", "d", "4").checkpoint();
      store.put("a", "1 again", "c", "3", "e", "short-lived").remove("b", "e");
      int failing = nth;
      AtomicInteger seen = new AtomicInteger();
      disk.fault((what, path) -> {
        if (what == operation
            && !path.toString().contains("journal") // Without it a checkpoint does not fail.
            && seen.getAndIncrement() == failing) {
          throw new IOException("No space left on device");
        }
      });
      boolean hasFailed = false;
      try {
        store.checkpoint();
      } catch (IOException e) {
        hasFailed = true;
        assertThat(e).hasMessageContaining("No space left on device");
      }
      assertThat(hasFailed).isEqualTo(seen.get() > failing);
      Map<String, String> expected = Map.of("a", "1 again", "c", "3", "d", "4");
      Path crashed = store.crashedTo(temp.resolve("crashed-" + operation + "-" + nth));
      try (Opened again = Opened.of(crashed)) {
        assertThat(again.notes()).as("crash after %s %d", operation, nth).isEqualTo(expected);
        assertThat(again.damage()).isEmpty();
      }
      disk.heal();
      store.checkpoint();
      assertThat(store.trash().values()).contains("2", "short-lived");
      store.close();
      try (Opened again = Opened.of(root)) {
        assertThat(again.notes()).isEqualTo(expected);
        assertThat(again.damage()).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDeletionThatIsTriedAgainDoesNotTakeTheNamesakesFolder(boolean isManifestFailing)
      throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk);
    store.create(NOTES).put("a", "old").checkpoint();
    disk.fault((operation, path) -> {
      boolean isManifest = path.endsWith("manifest");
      if (isManifestFailing ? isManifest : operation == Operation.SYNC_ALL) {
        throw new IOException("No space left on device");
      }
    });
    store.drop(NOTES);
    assertThat(store.folder()).doesNotExist();
    disk.heal();
    store.create(NOTES).put("b", "of the namesake");
    try (Opened crashed = Opened.of(store.crashedTo(temp.resolve("crashed")))) {
      assertThat(crashed.notes()).isEqualTo(Map.of("b", "of the namesake"));
      crashed.checkpoint();
      assertThat(crashed.folder()).isDirectory();
    }
    store.checkpoint();
    assertThat(Opened.documents(store.folder())).isEqualTo(Map.of("b", "of the namesake"));
    store.close();
  }

  @Test
  void aDeletionStandsThoughTheManifestIsWrittenBeforeItsCheckpoint() throws Exception {
    Files.createDirectories(root());
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk);
    store.create(NOTES).put("a", "1").checkpoint();
    disk.fault((operation, _) -> {
      if (operation == Operation.MOVE) {
        throw new IOException("No space left on device");
      }
    });
    store.drop(NOTES);
    Path first = store.crashedTo(temp.resolve("first"));
    // A folder that is new to us makes the opening write a manifest, before any checkpoint.
    Path other = Files.createDirectory(first.resolve(Names.hash("o")));
    Files.write(
        other.resolve("00000000.gob"),
        MetadataFormat.encode(new StoredCollection("o", Map.of()), Compression.PLAIN));
    Opened second = Opened.of(first);
    assertThat(second.contents()).containsOnlyKeys("o");
    try (Opened third = Opened.of(second.crashedTo(temp.resolve("second")))) {
      assertThat(third.contents()).containsOnlyKeys("o");
    }
    second.close();
    disk.heal();
    store.close();
  }

  @Test
  void aMetadataFileIsWrittenAgainAndWhatStoodInItsPlaceIsKept() throws Exception {
    try (Opened store = open().create(NOTES).put("a", "1").checkpoint()) {
      Path metadata = store.folder().resolve("00000000.gob");
      byte[] before = Files.readAllBytes(metadata);
      Files.delete(metadata);
      Files.createSymbolicLink(metadata, temp.resolve("nowhere"));
      store.memory(NOTES).kept.rewriteMetadata();
      store.checkpoint();
      assertThat(metadata).hasBinaryContent(before);
    }
  }

  @Test
  void aDeletionWhoseTrashCannotBeMadeIsTriedAgain() throws Exception {
    boolean[] isFull = {false};
    Disk full =
        new RealDisk() {
          @Override
          public void createDirectories(Path directory) throws IOException {
            if (isFull[0] && directory.toString().contains("trash")) {
              throw new IOException("No space left on device");
            }
            disk.createDirectories(directory);
          }
        };
    try (Opened store = Opened.of(root(), full).create(NOTES).put("a", "1").checkpoint()) {
      isFull[0] = true;
      store.remove("a");
      assertThatThrownBy(store::checkpoint).isInstanceOf(IOException.class);
      assertThat(store.folder().resolve(file("a"))).exists();
      isFull[0] = false;
      store.checkpoint();
      assertThat(store.trash().values()).containsExactly("1");
    }
  }

  /** Somebody's loop must not fill the disk. */
  @Test
  void ofManyVersionsThatCameAndWentTheFirstAndTheLastOnesAreKept() throws Exception {
    try (Opened store = Opened.of(root()).create(NOTES).put("a", "first").checkpoint()) {
      for (int version = 0; version < 200; version++) {
        store.remove("a").put("a", "version " + version);
      }
      store.remove("a").checkpoint();
      assertThat(store.trash().values())
          .hasSize(16)
          .contains("first", "version 185", "version 199")
          .doesNotContain("version 184");
    }
  }
}
