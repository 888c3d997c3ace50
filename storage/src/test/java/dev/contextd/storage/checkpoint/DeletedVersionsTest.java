package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static dev.contextd.storage.checkpoint.Opened.foreign;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What was deleted is in the trash, whatever came between it and its checkpoint. */
class DeletedVersionsTest {
  /** Two ids of one hash: the documents would have one file. */
  private static final String ID = "doc-17633";

  private static final String NAMESAKE = "doc-29150";

  @TempDir Path temp;

  private Path root() throws IOException {
    return Files.createDirectories(temp.resolve("store"));
  }

  /** The cut takes the deleted version out of the journal before its deletion is carried out. */
  @Test
  void whatIsDeletedAndPutAgainWhileItsCheckpointIsMadeIsKeptThroughAKill() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("z", "goes first").checkpoint();
    store.put("a", "first").remove("z");
    disk.beforeNextMove(() -> {
      store.remove("a").put("a", "second"); // The checkpoint has begun, and a is unwritten.
    });
    store.checkpoint();
    requireKeptInBoth(store, "first");
  }

  @Test
  void whatIsDeletedAndPutAgainBesideTheWritingOfItsNeighbourIsKeptToo() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("z", "goes first").checkpoint();
    store.put(ID, "first", NAMESAKE, "b").remove("z");
    disk.fault((operation, path) -> {
      if (operation == Operation.MOVE) {
        store.remove(ID);
      } else if (operation == Operation.REPLACE && path.startsWith(store.folder())) {
        disk.heal();
        store.put(ID, "second");
      }
    });
    store.checkpoint();
    requireKeptInBoth(store, "first");
  }

  /** In the running store after its next checkpoint, and where it is killed before that one. */
  private void requireKeptInBoth(Opened store, String content) throws Exception {
    Map<String, String> notes = store.notes();
    Path crashed = store.crashedTo(temp.resolve("crashed"));
    store.checkpoint();
    assertThat(store.trash().values()).contains(content);
    store.close();
    try (Opened again = Opened.of(crashed)) {
      again.checkpoint();
      assertThat(again.notes()).isEqualTo(notes);
      assertThat(again.trash().values()).contains(content);
    }
  }

  @Test
  void aVersionThatIsPutBackAndReplacedIsKept() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1").checkpoint();
    store.remove("a").put("a", "1").put("a", "2");
    requireKeptInBoth(store, "1");
  }

  /** A failed sync may have lost what was written lazily: it is all written again. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCheckpointThatFailsGivesBackAllDeletions(boolean isDeletedMeanwhile) throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("z", "goes first").checkpoint();
    store.put("a", "first").remove("a").put("a", "second").remove("z");
    disk.fault((operation, path) -> {
      if (operation == Operation.MOVE && isDeletedMeanwhile && path.endsWith(file("z"))) {
        store.remove("a");
      } else if (operation == Operation.SYNC_ALL) {
        losesFromTrash(name -> name.endsWith(file("a")));
      }
    });
    assertThatThrownBy(store::checkpoint).hasMessage("Input/output error");
    disk.heal();
    store.checkpoint();
    assertThat(store.trash().values()).contains("first");
    if (isDeletedMeanwhile) {
      assertThat(store.trash().values()).contains("second");
    }
    store.close();
  }

  @Test
  void aDeletedCollectionIsWrittenAgainWhereASyncFailed() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("a", "1").checkpoint();
    store.put("b", "only in the journal").remove("a").put("a", "2").remove("a");
    disk.fault((operation, _) -> {
      if (operation == Operation.SYNC_ALL) {
        losesFromTrash(name -> name.endsWith(file("b")) || name.endsWith("2." + file("a")));
      }
    });
    store.drop(NOTES);
    disk.heal();
    store.checkpoint();
    assertThat(store.trash().values()).contains("only in the journal", "1", "2");
    store.close();
  }

  /** The system could not write some files back, which it says by failing the sync. */
  private void losesFromTrash(Predicate<String> lost) throws IOException {
    try (Stream<Path> walk = Files.walk(root().resolve(".contextd/trash"))) {
      for (Path one : walk.filter(path -> lost.test(path.toString())).toList()) {
        Files.delete(one);
      }
    }
    throw new IOException("Input/output error");
  }

  /** Another program knows no numbered names, and writes over the file of a document's namesake. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aNamesakeInThePlaceOfADeletedDocumentStays(boolean isPutAgain) throws Exception {
    Path crashed;
    try (Opened store = Opened.of(root()).create(NOTES).put(ID, "a", "c", "c").checkpoint()) {
      store.remove(ID);
      if (isPutAgain) {
        store.put(ID, "again");
      }
      crashed = store.crashedTo(temp.resolve("crashed"));
    }
    foreign(crashed.resolve(FOLDER).resolve(file(ID)), document(NAMESAKE, "another program's"));
    Opened store = Opened.of(crashed);
    Map<String, String> notes = store.notes();
    assertThat(notes).containsEntry(NAMESAKE, "another program's").hasSize(isPutAgain ? 3 : 2);
    store.checkpoint();
    assertThat(Opened.documents(store.folder())).isEqualTo(notes);
    assertThat(store.trash().values()).contains("a");
    store.closeDamaged();
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.damage()).isEmpty();
      assertThat(again.notes()).isEqualTo(notes);
    }
  }

  /** A file that is shorter than a version of ours may be torn. */
  @ParameterizedTest
  @ValueSource(strings = {"x", "another program's, longer than all of ours, so it is not torn"})
  void anotherProgramsVersionDoesNotPassForTheDeletedOne(String content) throws Exception {
    Path crashed;
    try (Opened store = Opened.of(root()).create(NOTES).put("b", "2", "c", "3").checkpoint()) {
      store.remove("b").put("b", "a version that is longer");
      crashed = store.crashedTo(temp.resolve("crashed"));
    }
    foreign(crashed.resolve(FOLDER).resolve(file("b")), document("b", content));
    try (Opened store = Opened.of(crashed)) {
      store.checkpoint();
      assertThat(store.trash().values()).contains("2");
    }
  }
}
