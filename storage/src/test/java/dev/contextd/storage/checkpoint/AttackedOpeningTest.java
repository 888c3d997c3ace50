package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.DeniedPaths;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.RealDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What went wrong when an opening, or the mending after it, was cut short or could not look. */
class AttackedOpeningTest {
  @TempDir Path temp;

  private Path root() {
    return temp.resolve("store");
  }

  private Path folder() {
    return root().resolve(FOLDER);
  }

  @BeforeEach
  void aStoreWithThreeDocuments() throws Exception {
    Files.createDirectory(root());
    try (Opened store = Opened.of(root()).create(NOTES).put("a", "1", "b", "2", "c", "3")) {
      assertThat(store.notes()).hasSize(3);
    }
  }

  private void removeFolder() throws IOException {
    for (String name : Opened.names(folder())) {
      Files.delete(folder().resolve(name));
    }
    Files.delete(folder());
  }

  @Test
  void ourOwnMendingIsNotTakenForACollectionCreatedAnew() throws Exception {
    Files.delete(folder().resolve("00000000.gob"));
    Files.delete(folder().resolve(file("b")));
    Path crashed = temp.resolve("crashed");
    Disk copying =
        new RealDisk() {
          @Override
          public FileCalls.Stat replaceLazily(Image image) throws IOException {
            FileCalls.Stat stat = disk.replaceLazily(image);
            if (image.file().endsWith("00000000.gob")) {
              Opened.copy(root(), crashed);
            }
            return stat;
          }
        };
    Opened store = Opened.of(root(), copying);
    store.memory(NOTES).kept.rewriteMetadata();
    store.memory(NOTES).kept.rewrite("b");
    store.checkpoint();
    store.closeDamaged();
    try (Opened again = Opened.of(crashed)) {
      assertThat(again.notes()).hasSize(3);
    }
  }

  @Test
  void aVanishedCollectionOutlivesAKillBeforeItIsInTheTrash() throws Exception {
    removeFolder();
    Path other = Files.createDirectory(root().resolve(Names.hash("other")));
    Files.write(
        other.resolve("00000000.gob"),
        MetadataFormat.encode(new StoredCollection("other", Map.of()), Compression.PLAIN));
    Opened.of(root()).keeper().abandon();
    Opened again = Opened.of(root());
    again.checkpoint();
    assertThat(again.trash()).hasSize(3);
    again.close();
  }

  @Test
  void aFolderThatCannotBeLookedAtDoesNotStopTheOpening() throws Exception {
    Disk failing =
        new RealDisk() {
          @Override
          public boolean exists(Path path) throws IOException {
            if (path.endsWith(FOLDER)) {
              throw new IOException("Transport endpoint is not connected");
            }
            return disk.exists(path);
          }
        };
    Opened store = Opened.of(root(), failing);
    assertThat(store.notes()).hasSize(3);
    store.closeDamaged();
  }

  @Test
  void oneManifestThatCannotBeReadCostsNothing() throws Exception {
    Disk failing =
        new RealDisk() {
          @Override
          public byte[] read(Path path) throws IOException {
            if (path.endsWith("manifest")) {
              throw new IOException("Input/output error");
            }
            return disk.read(path);
          }
        };
    Opened store = Opened.of(root(), failing);
    assertThat(store.notes()).hasSize(3);
    assertThat(store.packs()).isNotEmpty();
    store.keeper().abandon();
  }

  /** The checkpoint read it, to put it back if it failed, and so none ever succeeded. */
  @Test
  void aManifestThatCannotBeReadIsMovedAsideByTheNextCheckpoint() throws Exception {
    Path manifest = root().resolve(".contextd/manifest");
    Opened store =
        Opened.of(root(), DeniedPaths.of(manifest::equals, Set.of("open"))).put("d", "4");
    store.checkpoint();
    store.keeper().abandon();
    assertThat(root().resolve(".contextd/manifest.stray")).exists();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).hasSize(4);
    }
  }

  /** Of a folder or manifests without permissions, and a link to itself in their place. */
  @ParameterizedTest
  @ValueSource(strings = {".contextd/", ".contextd/manifest"})
  void whatWeKnowAndCannotBeOpenedDoesNotStopTheOpening(String hidden) throws Exception {
    Predicate<Path> isHidden =
        path -> root().relativize(path).toString().startsWith(hidden) && path.startsWith(root());
    Opened store =
        Opened.of(
            root(), DeniedPaths.of(isHidden, Set.of("open", "stat", "names", "tryLock", "create")));
    assertThat(store.notes()).hasSize(3);
    assertThat(store.keeper().readOnlyReason()).isPresent();
    store.keeper().abandon();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).hasSize(3);
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void aDocumentOfAnotherProgramIsNotMovedAwayForOneThatHadItsName() throws Exception {
    Map<String, String> seen = new HashMap<>();
    String ours = "";
    String theirs = "";
    for (int i = 0; theirs.isEmpty(); i++) {
      String before = seen.putIfAbsent(Names.hash("n" + i), "n" + i);
      if (before != null) {
        ours = before;
        theirs = "n" + i;
      }
    }
    try (Opened store = Opened.of(root()).put(ours, "ours")) {
      assertThat(store.notes()).hasSize(4);
    }
    Opened.foreign(folder().resolve(file(theirs)), document(theirs, "theirs"));
    Opened store = Opened.of(root());
    store.memory(NOTES).kept.rewrite(ours);
    store.checkpoint();
    store.closeDamaged();
    assertThat(Opened.documents(folder())).hasSize(5);
    Opened again = Opened.of(root());
    assertThat(again.notes()).hasSize(5);
    again.closeDamaged();
  }

  @Test
  void withoutTheLockNobodyWrites() throws Exception {
    Disk full =
        new RealDisk() {
          @Override
          public Optional<FileCalls.Lock> tryLock(Path file) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    Opened store = Opened.of(root(), full);
    assertThat(store.keeper().readOnlyReason()).isPresent();
    assertThat(store.notes()).hasSize(3);
    store.keeper().abandon();
  }

  private void destroyManifests() throws IOException {
    for (String manifest : List.of("manifest", "manifest.copy")) {
      Files.write(root().resolve(".contextd").resolve(manifest), new byte[100]);
    }
  }

  @Test
  void withoutAManifestThePacksProveWhoseWritesTheJournalHolds() throws Exception {
    Opened.of(root()).put("d", "4").put("b", "9").remove("a").keeper().abandon();
    destroyManifests();
    Map<String, String> expected = Map.of("b", "9", "c", "3", "d", "4");
    Opened store = Opened.of(root());
    assertThat(store.notes()).isEqualTo(expected);
    assertThat(store.damage()).contains("CatalogLost");
    store.checkpoint();
    assertThat(Opened.names(root().resolve(".contextd/trash")))
        .as("the journal as it was")
        .anyMatch(name -> name.endsWith(".log"));
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(expected);
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void withoutAManifestAnElderJournalThatCameBackTakesNothingFromNewerFiles() throws Exception {
    Opened elder = Opened.of(root()).put("b", "elder").remove("a");
    Path left = elder.crashedTo(temp.resolve("left"));
    elder.put("b", "newer", "a", "again").close();
    Path segments = left.resolve(".contextd/journal");
    for (String segment : Opened.names(segments)) {
      Files.copy(
          segments.resolve(segment),
          root().resolve(".contextd/journal").resolve(segment),
          StandardCopyOption.COPY_ATTRIBUTES);
    }
    destroyManifests();
    Opened store = Opened.of(root());
    assertThat(store.notes()).isEqualTo(Map.of("a", "again", "b", "newer", "c", "3"));
    store.close();
  }

  @Test
  void aJournalOfWhichSomethingCouldNotBePlacedIsKept() throws Exception {
    Opened.of(root()).put("d", "4").keeper().abandon();
    for (String manifest : List.of("manifest", "manifest.copy")) {
      Files.write(root().resolve(".contextd").resolve(manifest), new byte[100]);
    }
    Opened store = Opened.of(root());
    store.checkpoint();
    assertThat(Opened.names(root().resolve(".contextd/trash")))
        .anyMatch(name -> name.endsWith(".log"));
    store.closeDamaged();
  }
}
