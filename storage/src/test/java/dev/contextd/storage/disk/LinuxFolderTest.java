package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.Disk.Entry;
import dev.contextd.storage.disk.Disk.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A large folder is listed with calls of its own, which must tell what Java's tell. */
class LinuxFolderTest {
  /** More than one call gives, and more than one thread takes at once. */
  private static final int MANY = 40_000;

  @TempDir Path folder;
  private final LocalCalls calls = new LocalCalls();
  private final List<String> askedByName = new ArrayList<>();

  private @Nullable List<Entry> entries() throws IOException {
    Disk.Listing listing =
        LinuxFolder.find().orElseThrow().entries(folder, this::byName, Disk.Left.NONE);
    return listing == null ? null : listing.entries();
  }

  private @Nullable Entry byName(String name) {
    askedByName.add(name);
    return null;
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> folder.relativize(path).toString()).toList();
    }
  }

  private List<Entry> oneByOne() throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (String name : names()) {
      FileCalls.Stat stat = Objects.requireNonNull(calls.stat(folder.resolve(name)));
      entries.add(new Entry(folder, name, stat.kind(), stat.size(), stat.modifiedNanos()));
    }
    return entries;
  }

  @Test
  void everyKindIsToldAsJavaTellsIt() throws Exception {
    Files.write(folder.resolve("3af7a34d.gob"), new byte[12_345]);
    Files.createFile(folder.resolve("..gob"));
    Files.createFile(folder.resolve("n".repeat(255)));
    Files.createDirectory(folder.resolve("ffffffff.gob"));
    Files.createSymbolicLink(folder.resolve("link.gob"), folder.resolve("3af7a34d.gob"));
    Files.createSymbolicLink(folder.resolve("dangling.gob"), folder.resolve("nothing"));
    Files.setLastModifiedTime(
        Files.createFile(folder.resolve("old.gob")),
        FileTime.from(Instant.parse("1969-12-31T23:59:58.123456789Z")));
    assertThat(
            new ProcessBuilder("mkfifo", folder.resolve("fifo.gob").toString()).start().waitFor())
        .isZero();
    assertThat(entries())
        .containsExactlyInAnyOrderElementsOf(oneByOne())
        .extracting(Entry::kind)
        .contains(Kind.FILE, Kind.DIRECTORY, Kind.SYMBOLIC_LINK, Kind.OTHER);
    assertThat(askedByName).isEmpty();
  }

  @Test
  void noneOfManyIsForgottenOrTwice() throws Exception {
    for (int i = 0; i < MANY; i++) {
      Files.createFile(folder.resolve("%08x.gob".formatted(i)));
    }
    assertThat(
            Objects.requireNonNull(calls.entries(folder, this::byName, Disk.Left.NONE)).entries())
        .as("as the disk asks for it")
        .hasSameSizeAs(oneByOne())
        .doesNotHaveDuplicates();
    assertThat(calls.names(folder)).containsExactlyInAnyOrderElementsOf(names());
    assertThat(new LocalDisk().list(folder))
        .containsExactlyElementsOf(
            oneByOne().stream().sorted((a, b) -> a.name().compareTo(b.name())).toList());
    LinuxLookTest.Known known = new LinuxLookTest.Known(folder);
    LeftFolder left = new LocalDisk().left(folder, () -> known).orElseThrow();
    assertThat(left.files()).isEqualTo(MANY);
    assertThat(new LocalDisk().look(folder, left).isAsLeft()).isTrue();
    assertThat(new LocalDisk().look(folder, left).isAsLeft()).as("once more").isTrue();
    Files.write(folder.resolve("%08x.gob".formatted(MANY - 1)), new byte[1]);
    assertThat(new LocalDisk().look(folder, left).isAsLeft()).isFalse();
  }

  /** A number for each file that is as it was left, an entry for all else, however it is called. */
  @Test
  void filesAsTheyWereLeftAreToldByTheirNumbers() throws Exception {
    List<String> left =
        List.of("3af7a34d.gob", "ffffffff.gob.gz", "00000001.gob", "3af7a34d-2.gob");
    for (String name : left) {
      Files.write(folder.resolve(name), new byte[7]);
    }
    Files.write(folder.resolve("00000000.gob"), new byte[7]);
    Files.write(folder.resolve("12345678.gob"), new byte[8]);
    Files.write(folder.resolve("1234567.gob"), new byte[7]);
    Files.write(folder.resolve("3AF7A34E.gob"), new byte[7]);
    Files.write(folder.resolve("3af7a34d.gob.gzz"), new byte[7]);
    Files.write(folder.resolve("3af7a34d.go"), new byte[7]);
    Files.write(folder.resolve("3af7a34d"), new byte[7]);
    Files.createDirectory(folder.resolve("0000000a.gob"));
    Map<Long, Integer> numbers = new HashMap<>();
    left.forEach(name -> numbers.put(FileState.key(name).orElseThrow(), numbers.size()));
    numbers.put(FileState.key("0000000a.gob").orElseThrow(), 99);
    numbers.put(FileState.key("00000000.gob").orElseThrow(), 98);
    Disk.Left known =
        (files, count, found) -> {
          for (int i = 0; i < count; i++) {
            long key = files[i * Disk.Left.NUMBERS];
            long size = files[i * Disk.Left.NUMBERS + 1];
            found[i] = size == 7 ? numbers.getOrDefault(key, -1) : -1;
          }
        };

    Disk.Listing listing =
        Objects.requireNonNull(
            LinuxFolder.find().orElseThrow().entries(folder, this::byName, known));

    assertThat(listing.asLeft().stream())
        .as("-N is looked up by its name")
        .containsExactly(0, 1, 2);
    assertThat(listing.entries())
        .extracting(Entry::name)
        .containsExactlyInAnyOrder(
            "3af7a34d-2.gob",
            "00000000.gob",
            "12345678.gob",
            "1234567.gob",
            "3AF7A34E.gob",
            "3af7a34d.gob.gzz",
            "3af7a34d.go",
            "3af7a34d",
            "0000000a.gob");
  }

  /** What Java makes of such a name depends on the language of the machine. */
  @Test
  void aNameThatIsNotPlainIsLeftToJava() throws Exception {
    Files.createFile(folder.resolve("00000000.gob"));
    assertThat(entries()).hasSize(1);
    assertThat(
            new ProcessBuilder("bash", "-c", "touch $'M\\xfcller.gob'")
                .directory(folder.toFile())
                .start()
                .waitFor())
        .isZero();
    assertThat(entries()).isNull();
    assertThat(LinuxFolder.find().orElseThrow().names(folder)).isNull();
  }

  @Test
  void whatCannotBeOpenedIsLeftToJava() throws Exception {
    Path gone = folder.resolve("gone");
    assertThat(LinuxFolder.find().orElseThrow().entries(gone, this::byName, Disk.Left.NONE))
        .isNull();
    Files.createFile(gone);
    assertThat(LinuxFolder.find().orElseThrow().entries(gone, this::byName, Disk.Left.NONE))
        .isNull();
  }
}
