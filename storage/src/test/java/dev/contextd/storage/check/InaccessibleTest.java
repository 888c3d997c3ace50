package dev.contextd.storage.check;

import static dev.contextd.storage.check.Checked.CHECKPOINTS;
import static dev.contextd.storage.check.Checked.MEMORIES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.FixtureData;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What could not be opened says nothing about its content: it is reported and stays. */
class InaccessibleTest {
  private static final String DOCUMENT = "11ad2331.gob";

  @TempDir Path folder;
  private Path root = Path.of("");
  private Path memories = Path.of("");

  @BeforeEach
  void copyTheFixture() throws Exception {
    root = folder.resolve("store");
    Checked.fixture(root);
    memories = root.resolve(MEMORIES);
  }

  private Checked failing(String end, IOException failure) throws IOException {
    return Checked.of(
        root,
        new ReadFaults(path -> {
          if (path.endsWith(end)) {
            throw failure;
          }
        }));
  }

  private static void requireOneDocumentLost(Checked checked) {
    Damage.Inaccessible damage = checked.only(Damage.Inaccessible.class);
    assertThat(damage.folder()).isEqualTo(MEMORIES);
    assertThat(damage.file()).isEqualTo(DOCUMENT);
    checked.requireRepair(damage, Damage.Loss.DOCUMENT, Repair.LeaveInPlace.class);
    checked.requireOthersWhole(MEMORIES);
    assertThat(checked.documents(MEMORIES)).hasSize(5);
    assertThat(checked.folder(MEMORIES).health()).isEqualTo(FolderReport.Health.CORRUPT);
    assertThat(checked.folder(MEMORIES).isServed()).isTrue();
  }

  private static void requireCollectionLost(Checked checked, String file) {
    Damage.Inaccessible damage = checked.only(Damage.Inaccessible.class);
    assertThat(damage.folder()).isEqualTo(MEMORIES);
    assertThat(damage.file()).isEqualTo(file);
    checked.requireRepair(damage, Damage.Loss.COLLECTION, Repair.LeaveInPlace.class);
    checked.requireOthersWhole(MEMORIES);
    assertThat(checked.intact()).doesNotContainKey(MEMORIES);
    assertThat(checked.folder(MEMORIES).health()).isEqualTo(FolderReport.Health.CORRUPT);
  }

  @Test
  void aDocumentThatFailsToReadStaysAndCostsItself() throws Exception {
    requireOneDocumentLost(failing(DOCUMENT, new IOException("Input/output error")));
    requireOneDocumentLost(failing(DOCUMENT, new AccessDeniedException("x")));
    requireOneDocumentLost(failing(DOCUMENT, new NoSuchFileException("x")));
  }

  @Test
  void theReasonIsAWordThatHelps() throws Exception {
    assertThat(reason(new AccessDeniedException("x"))).isEqualTo("permission denied");
    assertThat(reason(new NoSuchFileException("x"))).contains("vanished");
    assertThat(reason(new IOException("Input/output error"))).contains("Input/output error");
  }

  private String reason(IOException failure) throws IOException {
    return failing(DOCUMENT, failure).only(Damage.Inaccessible.class).reason();
  }

  @Test
  void aBugOfOursIsNoDamageToTheFile() throws Exception {
    Checked checked =
        Checked.of(
            root,
            new ReadFaults(path -> {
              if (path.endsWith(DOCUMENT)) {
                throw new IllegalStateException("a bug");
              }
            }));
    requireOneDocumentLost(checked);
  }

  @Test
  void metadataThatFailsToReadIsNotMissing() throws Exception {
    requireCollectionLost(
        failing(MEMORIES + "/00000000.gob", new IOException("Input/output error")), "00000000.gob");
  }

  @Test
  void aFolderThatCannotBeListedCostsItself() throws Exception {
    requireCollectionLost(failing(MEMORIES, new AccessDeniedException("x")), "");
  }

  /** The machine's disk, on which one thing can be listed and not be looked at. */
  private Checked unseen(Path thing, IOException failure) throws IOException {
    ReadFaults.Fault fault =
        path -> {
          if (path.equals(thing)) {
            throw failure;
          }
        };
    return Checked.of(root, new ReadFaults(fault, Optional.of(thing)));
  }

  /** It was passed over as a leftover, and the store without its collection was called healthy. */
  @Test
  void aFolderThatCannotBeLookedAtCostsItself() throws Exception {
    Checked checked = unseen(memories, new AccessDeniedException("x"));
    Damage.Inaccessible damage = checked.only(Damage.Inaccessible.class);
    assertThat(damage.folder()).isEqualTo(MEMORIES);
    assertThat(damage.reason()).isEqualTo("permission denied");
    checked.requireRepair(damage, Damage.Loss.COLLECTION, Repair.LeaveInPlace.class);
    checked.requireOthersWhole(MEMORIES);
    assertThat(checked.intact()).doesNotContainKey(MEMORIES);
  }

  @Test
  void aFileThatCannotBeLookedAtCostsItselfAndSaysWhy() throws Exception {
    Checked checked = unseen(memories.resolve(DOCUMENT), new IOException("Stale file handle"));
    requireOneDocumentLost(checked);
    assertThat(checked.only(Damage.Inaccessible.class).reason()).contains("Stale file handle");
  }

  /** The store without its collection was called healthy, and writes to it were refused. */
  @Test
  void aLinkOrFileInPlaceOfACollectionsFolderCostsItself() throws Exception {
    Path elsewhere = folder.resolve("elsewhere");
    Files.move(memories, elsewhere);
    Files.createSymbolicLink(memories, elsewhere);
    Damage.Inaccessible link = Checked.of(root).only(Damage.Inaccessible.class);
    assertThat(link.folder()).isEqualTo(MEMORIES);
    assertThat(link.sentence()).contains("symbolic link");
    Files.delete(memories);
    Files.writeString(memories, "x");
    Checked checked = Checked.of(root);
    Damage.Inaccessible file = checked.only(Damage.Inaccessible.class);
    checked.requireRepair(file, Damage.Loss.COLLECTION, Repair.LeaveInPlace.class);
    checked.requireOthersWhole(MEMORIES);
  }

  @Test
  void aFolderInPlaceOfADocumentsFileCostsItself() throws Exception {
    Files.delete(memories.resolve(DOCUMENT));
    Files.createDirectory(memories.resolve(DOCUMENT));
    requireOneDocumentLost(Checked.of(root));
  }

  /** A file that was too large took the memory of its neighbours, and they counted as lost too. */
  @Test
  void aFileForWhichThereWasNoMemoryIsReadOnceMoreAlone() throws Exception {
    AtomicBoolean full = new AtomicBoolean(true);
    Checked checked =
        Checked.of(
            root,
            new ReadFaults(path -> {
              if (path.endsWith(DOCUMENT) && full.getAndSet(false)) {
                throw new OutOfMemoryError("Java heap space");
              }
            }));
    assertThat(checked.documents(MEMORIES)).hasSize(6);
    requireOneDocumentLost(
        Checked.of(
            root,
            new ReadFaults(path -> {
              if (path.endsWith(DOCUMENT)) {
                throw new OutOfMemoryError("Java heap space");
              }
            })));
  }

  @Test
  void aRootThatCannotBeListedIsTheOnlyFailure() {
    assertThatThrownBy(() -> Checked.of(root.resolve("absent"))).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> Checked.of(memories.resolve(DOCUMENT)))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aDiskOnWhichNothingCanBeReadStillGivesAReport() throws Exception {
    Checked checked =
        Checked.of(
            root,
            new ReadFaults(path -> {
              if (!path.equals(root)) {
                throw new IOException("Input/output error");
              }
            }));
    assertThat(checked.intact()).isEmpty();
    assertThat(checked.report().damage())
        .hasSize(3)
        .allMatch(found -> found.repair() instanceof Repair.LeaveInPlace);
  }

  @Test
  void linksAreNotFollowed() throws Exception {
    Path elsewhere = folder.resolve("elsewhere");
    FixtureData.copy("plain", elsewhere);
    Files.delete(memories.resolve(DOCUMENT));
    Files.createSymbolicLink(
        memories.resolve(DOCUMENT), elsewhere.resolve(MEMORIES).resolve(DOCUMENT));
    requireOneDocumentLost(Checked.of(root));
  }

  @Test
  void aDanglingLinkIsReported() throws Exception {
    Files.delete(memories.resolve(DOCUMENT));
    Files.createSymbolicLink(memories.resolve(DOCUMENT), root.resolve("nowhere"));
    requireOneDocumentLost(Checked.of(root));
  }

  @Test
  void aLinkToAFolderIsNoFolder() throws Exception {
    Files.delete(memories.resolve(DOCUMENT));
    Files.createSymbolicLink(memories.resolve(DOCUMENT), root.resolve(CHECKPOINTS));
    requireOneDocumentLost(Checked.of(root));
  }

  @Test
  void aFifoIsNotWaitedFor() throws Exception {
    Files.delete(memories.resolve(DOCUMENT));
    Checked.makeFifo(memories.resolve(DOCUMENT));
    requireOneDocumentLost(Checked.of(root));
  }

  @Test
  void metadataBehindALinkIsNotMissing() throws Exception {
    Path metadata = memories.resolve("00000000.gob");
    Files.delete(metadata);
    Files.createSymbolicLink(metadata, root.resolve("nowhere"));
    requireCollectionLost(Checked.of(root), "00000000.gob");
    Files.delete(metadata);
    Checked.makeFifo(metadata);
    requireCollectionLost(Checked.of(root), "00000000.gob");
  }
}
