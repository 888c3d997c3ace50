package dev.contextd.storage.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.Disk.Entry;
import dev.contextd.storage.disk.Disk.Image;
import dev.contextd.storage.disk.Disk.Kind;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The disk as it is used when nothing fails, and what it refuses. */
class LocalDiskTest {
  @TempDir Path folder;
  private final LocalDisk disk = new LocalDisk();

  private Image image(String name, String content) {
    return new Image(folder.resolve(name), content.getBytes(UTF_8));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> folder.relativize(path).toString()).sorted().toList();
    }
  }

  private static void makeFifo(Path path) throws Exception {
    assertThat(new ProcessBuilder("mkfifo", path.toString()).inheritIO().start().waitFor())
        .isZero();
  }

  @Test
  void filesAreCreatedAndReplaced() throws Exception {
    disk.replaceDurably(List.of(image("a.gob", "1"), image("b.gob", "")));
    disk.replaceDurably(List.of(image("b.gob", "2"), image("c.gob", "3")));
    assertThat(names()).containsExactly("a.gob", "b.gob", "c.gob");
    assertThat(disk.read(folder.resolve("a.gob"))).isEqualTo("1".getBytes(UTF_8));
    assertThat(disk.read(folder.resolve("b.gob"))).isEqualTo("2".getBytes(UTF_8));
  }

  @Test
  void aFileIsCreatedUnderItsOwnNameUnlessSomethingBearsIt() throws Exception {
    FileCalls.Stat stat = disk.createLazily(image("a.gob", "content"));
    assertThat(disk.stat(folder.resolve("a.gob")).map(FileCalls.Stat::toString))
        .contains(stat.toString());
    assertThat(stat.size()).isEqualTo(7);
    assertThat(modeOf("a.gob")).isEqualTo("rw-------");
    assertThatThrownBy(() -> disk.createLazily(image("a.gob", "other")))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(folder.resolve("a.gob")).hasContent("content");
    Files.createSymbolicLink(folder.resolve("link.gob"), folder.resolve("elsewhere"));
    assertThatThrownBy(() -> disk.createLazily(image("link.gob", "other")))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(names()).containsExactly("a.gob", "link.gob");
  }

  @Test
  void aReplacedFileIsANewFileSoThatAnOpenReaderKeepsTheOldOne() throws Exception {
    disk.replaceDurably(List.of(image("a.gob", "old")));
    try (var reader = Files.newInputStream(folder.resolve("a.gob"))) {
      disk.replaceDurably(List.of(image("a.gob", "new and longer")));
      assertThat(reader.readAllBytes()).isEqualTo("old".getBytes(UTF_8));
    }
  }

  @Test
  void whatIsCreatedIsForItsOwnerAlone() throws Exception {
    disk.createDirectories(folder.resolve("x/y"));
    disk.replaceDurably(List.of(new Image(folder.resolve("x/y/a.gob"), new byte[1])));
    assertThat(modeOf("x")).isEqualTo("rwx------");
    assertThat(modeOf("x/y")).isEqualTo("rwx------");
    assertThat(modeOf("x/y/a.gob")).isEqualTo("rw-------");
  }

  @Test
  void aReplacedFileIsForItsOwnerAloneWhateverItWas() throws Exception {
    Path file = Files.writeString(folder.resolve("a.gob"), "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    disk.replaceDurably(List.of(image("a.gob", "new")));
    assertThat(modeOf("a.gob")).isEqualTo("rw-------");
  }

  private String modeOf(String name) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(name)));
  }

  @Test
  void aTempFileThatACrashLeftIsNeverWrittenOver() throws Exception {
    for (int n = 0; n < 5; n++) {
      Files.writeString(folder.resolve("a.gob." + n + ".tmp"), "left over " + n);
    }
    disk.replaceDurably(List.of(image("a.gob", "new")));
    assertThat(folder.resolve("a.gob")).hasContent("new");
    for (int n = 0; n < 5; n++) {
      assertThat(folder.resolve("a.gob." + n + ".tmp")).hasContent("left over " + n);
    }
    assertThat(names()).hasSize(6);
  }

  @Test
  void aFolderInPlaceOfATargetLeavesEverythingAsItWas() throws Exception {
    Files.writeString(folder.resolve("a.gob"), "old");
    Files.createDirectories(folder.resolve("b.gob/inside"));
    List<Image> images = List.of(image("a.gob", "new"), image("b.gob", "new"), image("c", "new"));
    assertThatThrownBy(() -> disk.replaceDurably(images)).isInstanceOf(IOException.class);
    assertThat(folder.resolve("a.gob")).hasContent("old");
    assertThat(folder.resolve("b.gob/inside")).isDirectory();
    assertThat(names()).containsExactly("a.gob", "b.gob");
  }

  @Test
  void aLinkInPlaceOfATargetIsNeitherFollowedNorReplaced() throws Exception {
    Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "precious");
    Files.createSymbolicLink(folder.resolve("a.gob"), elsewhere);
    Files.createSymbolicLink(folder.resolve("b.gob"), folder.resolve("nowhere"));
    for (String name : List.of("a.gob", "b.gob")) {
      assertThatThrownBy(() -> disk.replaceDurably(List.of(image("c", "x"), image(name, "x"))))
          .isInstanceOf(IOException.class);
    }
    assertThat(elsewhere).hasContent("precious");
    assertThat(names()).containsExactly("a.gob", "b.gob", "elsewhere");
  }

  @Test
  void aFifoIsRefusedAndNotWaitedFor() throws Exception {
    makeFifo(folder.resolve("a.gob"));
    assertThatThrownBy(() -> disk.read(folder.resolve("a.gob"))).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> disk.replaceDurably(List.of(image("a.gob", "x"))))
        .isInstanceOf(IOException.class);
    assertThat(names()).containsExactly("a.gob");
  }

  @Test
  void onlyRegularFilesAreRead() throws Exception {
    Files.writeString(folder.resolve("file"), "x");
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("file"));
    assertThatThrownBy(() -> disk.read(folder)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> disk.read(folder.resolve("link"))).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> disk.read(folder.resolve("nothing")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void theListNamesEveryKindAndFollowsNoLink() throws Exception {
    Files.createDirectory(folder.resolve("b-folder"));
    Files.writeString(folder.resolve("c-file"), "12345");
    makeFifo(folder.resolve("a-fifo"));
    Files.createSymbolicLink(folder.resolve("d-link"), folder.resolve("b-folder"));
    Files.createSymbolicLink(folder.resolve("e-dangling"), folder.resolve("nowhere"));
    List<Entry> entries = disk.list(folder);
    assertThat(entries)
        .extracting(Entry::name)
        .containsExactly("a-fifo", "b-folder", "c-file", "d-link", "e-dangling");
    assertThat(entries)
        .extracting(Entry::kind)
        .containsExactly(
            Kind.OTHER, Kind.DIRECTORY, Kind.FILE, Kind.SYMBOLIC_LINK, Kind.SYMBOLIC_LINK);
    assertThat(entries.get(2).size()).isEqualTo(5);
    for (Entry entry : entries) {
      assertThat(disk.exists(entry.path())).isTrue();
      assertThat(disk.kind(entry.path())).isEqualTo(entry.kind());
    }
    assertThat(disk.exists(folder.resolve("nothing"))).isFalse();
    assertThat(disk.kind(folder.resolve("nothing"))).isEqualTo(Kind.OTHER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "with a na\u00efve name"})
  void aFolderOfManyFilesIsListedAsOneOfFew(String last) throws Exception {
    for (int i = 0; i < 3_000; i++) {
      String name =
          "%05d of a long name, so that the folder itself is large, although they are few.gob"
              .formatted(i);
      Files.write(folder.resolve(name), new byte[i % 50]);
    }
    makeFifo(folder.resolve("a-fifo"));
    Files.createDirectory(folder.resolve("a-folder"));
    Files.createSymbolicLink(folder.resolve("a-link"), folder.resolve("nowhere"));
    Files.writeString(folder.resolve(last), "x");
    List<String> expected = new ArrayList<>();
    for (String name : names()) {
      FileCalls.Stat stat = disk.stat(folder.resolve(name)).orElseThrow();
      expected.add(name + " " + stat.kind() + " " + stat.size() + " " + stat.modifiedNanos());
    }
    assertThat(disk.list(folder))
        .hasSize(3_004)
        .extracting(e -> e.name() + " " + e.kind() + " " + e.size() + " " + e.modifiedNanos())
        .isEqualTo(expected);
  }

  /** As far as this file system takes the advice: where a file is in memory alone, it stays. */
  @Test
  void whatAnAppenderSyncedLeavesTheSystemsMemory() throws Exception {
    byte[] content = new byte[(3 << 20) + 5];
    new Random(7).nextBytes(content);
    Path probe = Files.write(folder.resolve("probe"), content);
    disk.sync(probe);
    PageCache.INSTANCE.free(probe, 0, 2 << 20);
    Path file = folder.resolve("segment");
    try (Disk.Appender appender = disk.appender(file)) {
      appender.append(ByteBuffer.wrap(content, 0, 1 << 20));
      appender.append(ByteBuffer.wrap(content, 1 << 20, content.length - (1 << 20) - 3));
      appender.sync();
      assertThat(isInMemory(file)).isEqualTo(isInMemory(probe));
      appender.append(ByteBuffer.wrap(content, content.length - 3, 3));
      appender.sync();
    }
    assertThat(disk.read(file)).isEqualTo(content);
  }

  @Test
  void whatIsAppendedTakesTheRoomThatWasMade() throws Exception {
    Path file = folder.resolve("segment");
    try (Disk.Appender appender = disk.appender(file)) {
      appender.append(ByteBuffer.wrap(new byte[] {1}));
      appender.reserve(3);
      appender.reserve(2);
      assertThat(appender.reserved()).isEqualTo(3);
      assertThat(appender.size()).isEqualTo(1);
      assertThat(disk.read(file)).containsExactly(1, 0, 0, 0);
      appender.append(ByteBuffer.wrap(new byte[] {2, 3}));
      appender.reserve(2);
      appender.sync();
      assertThat(disk.read(file)).containsExactly(1, 2, 3, 0, 0);
      appender.append(ByteBuffer.allocateDirect(1).put((byte) 4).flip());
    }
    assertThat(disk.read(file)).as("closed").containsExactly(1, 2, 3, 4);
    try (Disk.Appender appender = disk.appender(folder.resolve("longer"))) {
      appender.reserve(2);
      appender.append(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      assertThat(appender.reserved()).isZero();
    }
    assertThat(disk.read(folder.resolve("longer"))).containsExactly(1, 2, 3);
  }

  private static boolean isInMemory(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, 2 << 20).isLoaded();
    }
  }

  /** Whether the system tells of a failed write depends on when the folder was opened. */
  @Test
  void aWatchedDiskIsSyncedThroughTheFolderThatWasOpenedFirst() throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    try (Closeable watch = disk.watch(root)) {
      assertThat(watch).isNotNull();
      disk.syncAll(root);
      Files.delete(root);
      disk.syncAll(root);
    }
    assertThatThrownBy(() -> disk.syncAll(root)).isInstanceOf(IOException.class);
  }

  @Test
  void moveTakesFilesFoldersAndLinksAsTheyAre() throws Exception {
    Files.createDirectories(folder.resolve("from/inside"));
    Files.writeString(folder.resolve("file"), "x");
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
    disk.move(folder.resolve("from"), folder.resolve("to"));
    disk.move(folder.resolve("file"), folder.resolve("to/file"));
    disk.move(folder.resolve("link"), folder.resolve("to/link"));
    assertThat(folder.resolve("to/inside")).isDirectory();
    assertThat(folder.resolve("to/file")).hasContent("x");
    assertThat(folder.resolve("to/link")).isSymbolicLink();
    assertThat(names()).containsExactly("to");
  }

  @Test
  void moveNeverWritesOverAnything() throws Exception {
    Path source = Files.writeString(folder.resolve("source"), "x");
    Files.writeString(folder.resolve("file"), "precious");
    Files.createDirectory(folder.resolve("empty-folder"));
    Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nowhere"));
    for (String taken : List.of("file", "empty-folder", "dangling", "source")) {
      assertThatThrownBy(() -> disk.move(source, folder.resolve(taken)))
          .isInstanceOf(FileAlreadyExistsException.class);
    }
    assertThat(source).hasContent("x");
    assertThat(folder.resolve("file")).hasContent("precious");
    assertThat(folder.resolve("empty-folder")).isDirectory();
    assertThat(folder.resolve("dangling")).isSymbolicLink();
  }

  @Test
  void moveOfNothingSaysSo() {
    assertThatThrownBy(() -> disk.move(folder.resolve("nothing"), folder.resolve("to")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void onlyAnEmptyFolderIsRemoved() throws Exception {
    Files.createDirectories(folder.resolve("full/inside"));
    Files.writeString(folder.resolve("file"), "x");
    Files.createDirectory(folder.resolve("empty"));
    assertThatThrownBy(() -> disk.removeEmptyDirectory(folder.resolve("full")))
        .isInstanceOf(IOException.class);
    disk.removeEmptyDirectory(folder.resolve("file"));
    disk.removeEmptyDirectory(folder.resolve("nothing"));
    disk.removeEmptyDirectory(folder.resolve("empty"));
    assertThat(names()).containsExactly("file", "full");
  }

  @Test
  void foldersAreCreatedWhereTheyAreMissing() throws Exception {
    disk.createDirectories(folder.resolve("a/b/c"));
    disk.createDirectories(folder.resolve("a/b/c"));
    assertThat(folder.resolve("a/b/c")).isDirectory();
    Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(() -> disk.createDirectories(folder.resolve("file")))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> disk.createDirectories(folder.resolve("file/below")))
        .isInstanceOf(IOException.class);
  }
}
