package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static dev.contextd.storage.checkpoint.Opened.foreign;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.LeftFolder;
import dev.contextd.storage.disk.RealDisk;
import dev.contextd.storage.folder.OwnNames;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A large folder that nobody touched since the store was closed is not looked up file by file; one
 * that somebody did is, and nothing that is noted of it hides what he did.
 */
class LeftFoldersTest {
  /** Of so many documents a folder is a large one on every file system that we know. */
  private static final int DOCUMENTS = 3_600;

  private static final Path LEFT = Path.of(".contextd", OwnNames.LEFT);

  @TempDir Path root;
  private final Watched disk = new Watched();

  /** Tells what is asked about folders. */
  private static final class Watched extends RealDisk {
    private final List<Path> left = new ArrayList<>();
    private final List<Path> listed = new ArrayList<>();

    @Override
    public Optional<LeftFolder> left(Path directory, Supplier<LeftFolder.Files> files)
        throws IOException {
      Optional<LeftFolder> found = disk.left(directory, files);
      found.ifPresent(_ -> left.add(directory));
      return found;
    }

    @Override
    public Look look(Path directory, LeftFolder folder) {
      return disk.look(directory, folder);
    }

    @Override
    public Listing list(Path directory, Left known) throws IOException {
      listed.add(directory);
      return disk.list(directory, known);
    }
  }

  private static String id(int number) {
    return "document " + number;
  }

  private final Map<String, String> model = new HashMap<>();

  private void put(Opened store, int from, int to, String content) throws IOException {
    List<StoredDocument> documents =
        IntStream.range(from, to).mapToObj(n -> document(id(n), content + n)).toList();
    store.put(NOTES, documents);
    documents.forEach(one -> model.put(one.id(), one.content()));
  }

  @BeforeEach
  void write() throws Exception {
    try (Opened store = Opened.of(root, disk).create(NOTES)) {
      put(store, 0, DOCUMENTS, "first ");
    }
    assertThat(disk.left).containsExactly(root.resolve(FOLDER));
    assertThat(root.resolve(LEFT)).exists();
    disk.left.clear();
    disk.listed.clear();
  }

  /** Opens the store, whose folder was looked up or not, and which serves what the model says. */
  private void reopen(boolean isLookedUp, String... damage) throws Exception {
    try (Opened store = Opened.of(root, disk)) {
      requireServed(store, isLookedUp, damage);
    }
  }

  private void requireServed(Opened store, boolean isLookedUp, String... damage) {
    assertThat(disk.listed.contains(root.resolve(FOLDER))).isEqualTo(isLookedUp);
    assertThat(store.damage()).containsExactly(damage);
    assertThat(store.notes().equals(model)).as("what is served").isTrue();
    disk.listed.clear();
  }

  /** What is missing stays so until somebody mends it: every opening finds it. */
  private void reopenTwiceWith(String... damage) throws Exception {
    for (int i = 0; i < 2; i++) {
      Opened store = Opened.of(root, disk);
      requireServed(store, true, damage);
      store.closeDamaged();
    }
  }

  @Test
  void whatNobodyTouchedIsNotLookedUpAndNotNotedAgain() throws Exception {
    FileTime before = Files.getLastModifiedTime(root.resolve(LEFT));
    reopen(false);
    reopen(false);
    assertThat(disk.left).isEmpty();
    assertThat(Files.getLastModifiedTime(root.resolve(LEFT))).isEqualTo(before);
  }

  @Test
  void afterAWriteItIsNotedAnewAndWhatWasNotedBeforeDoesNotCount() throws Exception {
    byte[] earlier = Files.readAllBytes(root.resolve(LEFT));
    try (Opened store = Opened.of(root, disk)) {
      put(store, 0, 10, "second ");
      store.remove(id(11));
      model.remove(id(11));
    }
    assertThat(disk.left).containsExactly(root.resolve(FOLDER));
    disk.listed.clear();
    reopen(false);
    Files.write(root.resolve(LEFT), earlier);
    reopen(true);
    reopen(false);
    try (Opened store = Opened.of(root, disk)) {
      put(store, DOCUMENTS, DOCUMENTS + 2, "added ");
    }
    disk.listed.clear();
    reopen(false);
  }

  @Test
  void withoutItEachFileIsLookedUp() throws Exception {
    byte[] whole = Files.readAllBytes(root.resolve(LEFT));
    Files.write(root.resolve(LEFT), Arrays.copyOf(whole, whole.length - 1));
    reopen(true);
    reopen(false);
    Files.delete(root.resolve(LEFT));
    reopen(true);
    reopen(false);
    Files.delete(root.resolve(LEFT));
    Files.createDirectory(root.resolve(LEFT));
    reopen(true);
    reopen(false);
  }

  @Test
  void anotherProgramsDocumentIsAdopted() throws Exception {
    foreign(root.resolve(FOLDER).resolve(file(id(5))), document(id(5), "another program's"));
    foreign(root.resolve(FOLDER).resolve(file("new")), document("new", "another program's"));
    model.put(id(5), "another program's");
    model.put("new", "another program's");
    try (Opened store = Opened.of(root, disk)) {
      assertThat(disk.listed).contains(root.resolve(FOLDER));
      assertThat(store.notes().equals(model)).as("what is served").isTrue();
      disk.listed.clear();
    }
    reopen(false);
  }

  @Test
  void whatVanishedIsServedAndReported() throws Exception {
    Path document = root.resolve(FOLDER).resolve(file(id(5)));
    byte[] content = Files.readAllBytes(document);
    FileTime time = Files.getLastModifiedTime(document);
    Files.delete(document);
    reopenTwiceWith("DocumentMissing");
    put(document, content, time);
    reopen(true);
    Files.delete(root.resolve(FOLDER).resolve("00000000.gob"));
    reopenTwiceWith("MetadataSpoiled");
  }

  private static void put(Path file, byte[] content, FileTime time) throws IOException {
    Files.write(file, content); // In place, as cp -p does.
    Files.setLastModifiedTime(file, time);
  }

  private void requireMetadata(Map<String, String> expected) throws IOException {
    try (Opened store = Opened.of(root, disk)) {
      assertThat(store.memory(NOTES).kept.stored().metadata()).isEqualTo(expected);
    }
  }

  /** They change without any pack; what was noted of the folder before is of another time then. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void metadataThatWerePutBackAreServed(boolean isOpen) throws Exception {
    Path file = root.resolve(FOLDER).resolve("00000000.gob");
    byte[] before = Files.readAllBytes(file);
    FileTime time = Files.getLastModifiedTime(file);
    byte[] earlier = Files.readAllBytes(root.resolve(LEFT));
    StoredCollection other = new StoredCollection(NOTES, Map.of("k", "other", "more", "x"));
    byte[] content = MetadataFormat.encode(other, Compression.PLAIN);
    if (isOpen) {
      try (Opened store = Opened.of(root, disk)) {
        Files.write(file, content);
        FileState state =
            FileState.of(
                "00000000.gob",
                content.length,
                Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS),
                content);
        store.keeper().metadataChanged(store.memory(NOTES).kept, other, state);
      }
    } else {
      Files.write(file, content);
      requireMetadata(other.metadataOrEmpty());
      Files.write(root.resolve(LEFT), earlier);
    }
    put(file, before, time);
    requireMetadata(Map.of("k", "v"));
  }

  /** Numbers begin anew where the manifest is gone: packs of one number need not be the same. */
  @Test
  void aNoteOfOtherPacksHidesNoSupersededRow() throws Exception {
    try (Opened store = Opened.of(root, disk)) {
      put(store, DOCUMENTS, DOCUMENTS + 1, "first ");
    }
    Path own = root.resolve(".contextd");
    byte[] earlier = Files.readAllBytes(own.resolve("left"));
    Files.delete(own.resolve("manifest"));
    Files.delete(own.resolve("manifest.copy"));
    try (Stream<Path> packs = Files.list(own.resolve("packs"))) {
      for (Path pack : packs.toList()) {
        Files.delete(pack);
      }
    }
    Files.delete(root.resolve(FOLDER).resolve(file(id(DOCUMENTS))));
    model.remove(id(DOCUMENTS));
    Opened.of(root, disk).close();
    try (Opened store = Opened.of(root, disk)) {
      put(store, 0, 1, "later ");
    }
    Files.write(own.resolve("left"), earlier);
    RealDisk unlisted =
        new RealDisk() {
          @Override
          public Look look(Path directory, LeftFolder folder) {
            return disk.look(directory, folder);
          }

          @Override
          public Listing list(Path directory, Left known) throws IOException {
            if (directory.equals(root.resolve(FOLDER))) {
              throw new IOException("injected");
            }
            return disk.list(directory, known);
          }
        };
    Opened store = Opened.of(root, unlisted);
    assertThat(store.notes().equals(model)).as("what is served").isTrue();
    store.closeDamaged();
  }

  @Test
  void aRenamedFolderIsFollowed() throws Exception {
    Path renamed = root.resolve(FOLDER + "-2");
    Files.move(root.resolve(FOLDER), renamed);
    try (Opened store = Opened.of(root, disk)) {
      assertThat(store.notes().equals(model)).as("what is served").isTrue();
      assertThat(disk.listed).contains(renamed);
    }
  }

  @Test
  void aStoreThatWasNotClosedIsLookedUp() throws Exception {
    Opened store = Opened.of(root, disk);
    put(store, 0, 10, "second ");
    store.keeper().abandon();
    disk.listed.clear();
    reopen(true);
    reopen(false);
  }

  @Test
  void whereAPackIsDamagedEachFileIsLookedUp() throws Exception {
    Path pack;
    try (var packs = Files.list(root.resolve(".contextd/packs"))) {
      pack = packs.findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(pack);
    bytes[bytes.length / 2] ^= 1;
    Files.write(pack, bytes);
    reopen(true, "PackDamaged");
    reopen(false);
  }

  @Test
  void whatCannotBeReadIsAsIfItWereNotThere() throws Exception {
    byte[] whole = Files.readAllBytes(root.resolve(LEFT));
    Random random = Seed.random("LeftFoldersTest.whatCannotBeReadIsAsIfItWereNotThere");
    assertThat(LeftFolders.decode(whole).byIncarnation()).hasSize(1);
    for (int i = 0; i < 500; i++) {
      byte[] bad = whole.clone();
      bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
      assertThatThrownBy(() -> LeftFolders.decode(bad)).isInstanceOf(FormatException.class);
    }
    for (int length : List.of(0, 3, 4, 20, whole.length - 1)) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> LeftFolders.decode(cut)).isInstanceOf(FormatException.class);
    }
  }
}
