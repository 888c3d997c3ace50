package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small files are read and created with calls of their own, which must do what Java's do. */
class LinuxFilesTest {
  /** So many a disk reads before it uses these calls. */
  private static final int MANY = 1_100;

  @TempDir Path folder;
  private final LinuxFiles files = LinuxFiles.find().orElseThrow();

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4_095, 4_096, Scratch.CONTENT_BYTES - 1, Scratch.CONTENT_BYTES})
  void whatWasCreatedIsRead(int size) throws Exception {
    Path file = folder.resolve("Müller 3af7a34d.gob");
    FileCalls.Stat stat = Objects.requireNonNull(files.create(file, bytes(size)));
    assertThat(stat.size()).isEqualTo(size);
    assertThat(files.read(file)).isEqualTo(bytes(size));
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes(size));
  }

  @ParameterizedTest
  @ValueSource(ints = {Scratch.CONTENT_BYTES + 1, 5 * Scratch.CONTENT_BYTES + 3})
  void aLargerFileIsWrittenInPiecesAndReadByJava(int size) throws Exception {
    Path file = folder.resolve("3af7a34d.gob");
    assertThat(files.create(file, bytes(size))).isNotNull();
    assertThat(files.read(file)).isNull();
    assertThat(new LocalDisk().read(file)).isEqualTo(bytes(size));
  }

  @Test
  @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void whatIsNoFileIsLeftToJava() throws Exception {
    Files.write(folder.resolve("file"), bytes(1));
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("file"));
    Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nothing"));
    assertThat(new ProcessBuilder("mkfifo", folder.resolve("fifo").toString()).start().waitFor())
        .isZero();
    for (String name : new String[] {"link", "dangling", "fifo", "nothing", "."}) {
      assertThat(files.read(folder.resolve(name))).as(name).isNull();
    }
    assertThat(files.read(folder.resolve("n".repeat(300)))).isNull();
    assertThat(files.read(folder.resolve("p/".repeat(Scratch.MAX_PATH_BYTES)))).isNull();
  }

  @Test
  void nothingIsWrittenOverAndNoDescriptorIsLost() throws Exception {
    Path file = folder.resolve("3af7a34d.gob");
    assertThat(files.create(file, bytes(7))).isNotNull();
    long open = descriptors();
    for (int i = 0; i < MANY; i++) {
      assertThatThrownBy(() -> files.create(file, bytes(8)))
          .isInstanceOf(FileAlreadyExistsException.class);
      assertThatThrownBy(() -> files.create(folder.resolve("gone/a.gob"), bytes(8)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("No such file or directory");
      assertThat(files.read(file)).isEqualTo(bytes(7));
      assertThat(files.read(folder)).isNull();
    }
    assertThat(descriptors()).isLessThan(open + MANY);
    assertThat(folder).isDirectoryContaining(file::equals);
  }

  private static long descriptors() throws IOException {
    try (var open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  @Test
  void manyThreadsReadEachTheirOwn() {
    IntStream.range(0, 64)
        .parallel()
        .forEach(i -> {
          try {
            Path file = folder.resolve(i + ".gob");
            files.create(file, bytes(1_000 + i));
            for (int n = 0; n < 100; n++) {
              assertThat(files.read(file)).isEqualTo(bytes(1_000 + i));
            }
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void aDiskThatReadsManyFilesRefusesWhatItRefusedBefore() throws Exception {
    LocalDisk disk = new LocalDisk();
    Path file = Files.write(folder.resolve("file"), bytes(5));
    Files.createSymbolicLink(folder.resolve("link"), file);
    for (int i = 0; i < MANY; i++) {
      assertThat(disk.read(file)).isEqualTo(bytes(5));
    }
    assertThatThrownBy(() -> disk.read(folder)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> disk.read(folder.resolve("link"))).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> disk.read(folder.resolve("nothing")))
        .isInstanceOf(NoSuchFileException.class);
  }
}
