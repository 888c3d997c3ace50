package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static dev.contextd.storage.checkpoint.Opened.foreign;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.FolderReport;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The check of a store that is open knows its own files, and finds everything that is not. */
class LiveCheckTest {
  /** The files of so many documents are told by their numbers, where Linux has the calls. */
  private static final int LARGE = 3_000;

  @TempDir Path root;

  /** Counts looks at files, and the files that are read. */
  private static final class Counting extends ForwardingDisk {
    private final LocalDisk disk = new LocalDisk();
    private final AtomicLong stats = new AtomicLong();
    private final List<Path> reads = new ArrayList<>();
    private final List<Path> listed = new ArrayList<>();
    private Runnable beforeListing = () -> {};

    @Override
    protected Disk next() {
      return disk;
    }

    @Override
    public List<Entry> list(Path directory) throws IOException {
      List<Entry> found = disk.list(directory);
      stats.addAndGet(found.size());
      listed.add(directory);
      return found;
    }

    @Override
    public Listing list(Path directory, Left left) throws IOException {
      beforeListing.run();
      beforeListing = () -> {};
      Listing found = disk.list(directory, left);
      stats.addAndGet(found.entries().size() + found.asLeft().cardinality());
      return found;
    }

    @Override
    public Optional<FileCalls.Stat> stat(Path path) throws IOException {
      stats.incrementAndGet();
      return disk.stat(path);
    }

    @Override
    public synchronized byte[] read(Path file) throws IOException {
      reads.add(file);
      return disk.read(file);
    }

    void reset() {
      stats.set(0);
      reads.clear();
      listed.clear();
    }
  }

  private static Examination examine(Opened store) throws IOException {
    return store.keeper().examine(Optional.empty());
  }

  private static List<String> damage(Examination found) {
    return found.report().damage().stream().map(Damage::word).toList();
  }

  @Test
  void filesOfOursCostOneLookEachAndAreNotRead() throws Exception {
    Counting disk = new Counting();
    try (Opened store = Opened.of(root, disk)) {
      for (int c = 0; c < 10; c++) {
        store.create("c" + c);
        List<StoredDocument> documents = new ArrayList<>();
        for (int d = 0; d < 20; d++) {
          documents.add(document("d" + d, "text"));
        }
        store.put("c" + c, documents);
      }
      store.checkpoint();
      disk.reset();
      Examination found = examine(store);
      assertThat(damage(found)).isEmpty();
      assertThat(found.foreign()).isEmpty();
      assertThat(found.report().folders()).hasSize(10);
      assertThat(found.report().files()).isEqualTo(210);
      assertThat(disk.reads).isEmpty();
      assertThat(disk.stats.get()).isLessThan(2 * 210);
    }
  }

  @Test
  void ofALargeFolderOnlyWhatIsNotAsItWasLeftIsLookedAtByItself() throws Exception {
    Counting disk = new Counting();
    try (Opened store = Opened.of(root, disk).create(NOTES)) {
      store.put(NOTES, IntStream.range(0, LARGE).mapToObj(i -> document("d" + i, "t")).toList());
      store.checkpoint();
    }
    try (Opened store = Opened.of(root, disk)) { // The files are known from packs alone.
      disk.reset();
      Examination found = examine(store);
      assertThat(damage(found)).isEmpty();
      assertThat(found.report().files()).isEqualTo(LARGE + 1);
      assertThat(disk.stats.get()).isLessThan(2L * LARGE);
      assertThat(disk.reads).isEmpty();
      Path folder = store.folder();
      Files.delete(folder.resolve(file("d0")));
      Files.write(folder.resolve(file("d1")), new byte[] {1, 2, 3});
      foreign(folder.resolve(file("d2")), document("d2", "theirs"));
      foreign(folder.resolve("11111111.gob"), document("elsewhere", "x"));
      assertThat(damage(examine(store)))
          .containsExactlyInAnyOrder(
              "document_missing", "document_spoiled", "document_changed", "document_misplaced");
      Files.delete(folder.resolve("11111111.gob"));
      for (String id : List.of("d0", "d1", "d2")) {
        store.memory(NOTES).kept.rewrite(id);
      }
      assertThat(damage(examine(store))).isEmpty();
      store.checkpoint();
      assertThat(damage(examine(store))).isEmpty();
    }
  }

  @Test
  void aCheckpointBesideAListingMakesNobodyJudge() throws Exception {
    Counting disk = new Counting();
    try (Opened store = Opened.of(root, disk).create(NOTES)) {
      store.put("a", "1").checkpoint();
      disk.reset();
      disk.beforeListing =
          () -> {
            try {
              store.put("a", "2", "b", "1").checkpoint();
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          };
      assertThat(damage(examine(store))).isEmpty();
      // Whoever judges lists the root once more, with the checkpoints waiting.
      assertThat(disk.listed).containsExactly(root, store.folder());
    }
  }

  @Test
  void whatIsOnlyInTheJournalIsNotMissing() throws Exception {
    try (Opened store = Opened.of(root).create(NOTES)) {
      store.put("a", "1", "b", "2");
      assertThat(damage(examine(store))).isEmpty();
      store.checkpoint().put("a", "3").remove("b");
      assertThat(damage(examine(store))).isEmpty();
      store.checkpoint();
      assertThat(damage(examine(store))).isEmpty();
    }
  }

  @Test
  void adoptedFilesAreKnownBeforeAnyCheckpoint(@TempDir Path copy) throws Exception {
    Opened.of(root).create(NOTES).put("a", "1").close();
    Opened.copy(root.resolve(Opened.FOLDER), copy.resolve(Opened.FOLDER));
    try (Opened store = Opened.of(copy)) {
      assertThat(damage(examine(store))).isEmpty();
      Files.delete(copy.resolve(Opened.FOLDER).resolve(file("a")));
      assertThat(damage(examine(store))).containsExactly("document_missing");
      store.memory(NOTES).kept.rewrite("a");
      assertThat(damage(examine(store))).isEmpty();
    }
  }

  @Test
  void lostAndDamagedFilesAreFoundWhileTheirDocumentsAreServed() throws Exception {
    try (Opened store = Opened.of(root).create(NOTES)) {
      store.put("a", "1", "b", "2", "c", "3").checkpoint();
      Files.delete(store.folder().resolve(file("a")));
      Files.write(store.folder().resolve(file("b")), new byte[] {1, 2, 3});
      Files.delete(store.folder().resolve("00000000.gob"));
      Examination found = examine(store);
      assertThat(damage(found))
          .containsExactlyInAnyOrder("metadata_spoiled", "document_missing", "document_spoiled");
      assertThat(found.report().folders().getFirst().health())
          .isEqualTo(FolderReport.Health.HEALTHY);
      assertThat(damage(examine(store))).hasSize(3);
      store.memory(NOTES).kept.rewrite("a");
      store.memory(NOTES).kept.rewrite("b");
      store.memory(NOTES).kept.rewriteMetadata();
      assertThat(damage(examine(store))).isEmpty();
      store.checkpoint();
      assertThat(damage(examine(store))).isEmpty();
    }
  }

  @Test
  void whatIsJudgedOnceIsNotReadAgainWhileItStaysTheSame() throws Exception {
    Counting disk = new Counting();
    try (Opened store = Opened.of(root, disk).create(NOTES)) {
      store.put("a", "1").checkpoint();
      Path stray = store.folder().resolve("11111111.gob");
      foreign(stray, document("elsewhere", "x"));
      assertThat(damage(examine(store))).containsExactly("document_misplaced");
      disk.reset();
      assertThat(damage(examine(store))).containsExactly("document_misplaced");
      assertThat(disk.reads).isEmpty();
      Files.write(stray, new byte[] {1});
      assertThat(damage(examine(store))).containsExactly("document_unreadable");
      Files.delete(stray);
      assertThat(damage(examine(store))).isEmpty();
    }
  }

  @Test
  void whatAnotherProgramWroteIsToldApart() throws Exception {
    try (Opened store = Opened.of(root).create(NOTES)) {
      store.put("a", "1", "b", "2").checkpoint();
      foreign(store.folder().resolve(file("a")), document("a", "theirs"));
      foreign(store.folder().resolve(file("n")), document("n", "new"));
      Examination found = examine(store);
      assertThat(damage(found)).containsExactly("document_changed");
      IntactCollection foreign = found.foreign().getFirst();
      assertThat(foreign.documents())
          .extracting(one -> one.document().content())
          .containsExactlyInAnyOrder("theirs", "new");
      assertThat(foreign.differences().superseded()).containsExactly("a");
      Files.delete(store.folder().resolve(file("n")));
      store.put("a", "ours").checkpoint();
      assertThat(damage(examine(store))).isEmpty();
    }
  }

  @Test
  void aFolderThatIsGoneIsNoLossOfADocument() throws Exception {
    Opened store = Opened.of(root).create(NOTES).create("other");
    store.put("a", "1").checkpoint();
    Path folder = store.folder();
    Files.delete(folder.resolve(file("a")));
    Files.delete(folder.resolve("00000000.gob"));
    Files.delete(folder);
    assertThat(damage(examine(store))).containsExactly("collection_vanished");
    store.drop(NOTES);
    assertThat(damage(examine(store))).isEmpty();
    store.close();
  }

  @Test
  void foldersThatWereNotTouchedAreNotListed() throws Exception {
    Counting disk = new Counting();
    try (Opened store = Opened.of(root, disk).create(NOTES).create("other")) {
      store.put("a", "1").checkpoint();
      examine(store);
      Files.delete(store.folder().resolve(file("a")));
      assertThat(damage(store.keeper().examine(Optional.of(Set.of("elsewhere"))))).isEmpty();
      assertThat(damage(store.keeper().examine(Optional.of(Set.of(Opened.FOLDER)))))
          .containsExactly("document_missing");
      store.memory(NOTES).kept.rewrite("a");
    }
  }

  @Test
  void anotherRootUnderTheSamePathIsNoStore() throws Exception {
    Path home = Files.createDirectories(root.resolve("home"));
    Opened store = Opened.of(home).create(NOTES).put("a", "1").checkpoint();
    Files.move(home, root.resolve("away"));
    assertThatThrownBy(() -> examine(store)).hasMessageContaining("is gone");
    Files.createDirectories(home);
    assertThatThrownBy(() -> examine(store)).hasMessageContaining("another folder");
    assertThat(store.keeper().readOnlyReason()).isPresent();
    store.keeper().abandon();
  }

  /** The folder changes all the time, by our own hand; nothing of it may look like damage. */
  @Test
  void ownWritesAreNeverTakenForDamage() throws Exception {
    try (Opened store = Opened.of(root).create(NOTES)) {
      AtomicBoolean stop = new AtomicBoolean();
      Thread writer =
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; !stop.get(); i++) {
                  try {
                    store.put("d" + i % 50, "v" + i, "e" + i % 7, "v" + i);
                    if (i % 3 == 0) {
                      store.remove("d" + (i + 25) % 50);
                    }
                    if (i % 10 == 0) {
                      store.checkpoint();
                    }
                    if (i % 100 == 0) {
                      store.create("c" + i).drop("c" + i);
                    }
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                }
              });
      try {
        for (int i = 0; i < 300; i++) {
          Examination found = examine(store);
          assertThat(found.report().damage()).isEmpty();
          assertThat(found.foreign()).isEmpty();
        }
      } finally {
        stop.set(true);
        writer.join();
      }
    }
  }
}
