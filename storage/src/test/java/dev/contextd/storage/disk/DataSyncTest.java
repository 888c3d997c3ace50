package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The call is Linux's; what a failing sync means to the journal is tried with made-up disks. */
class DataSyncTest {
  private static final int OTHERS = 8;

  @TempDir Path folder;

  @Test
  void aFileIsSyncedWhateverItsNameHasBecome() throws Exception {
    Path file = folder.resolve("file");
    Files.createFile(file);
    try (FileCalls.OpenFile open = SharedFile.open(file, true)) {
      open.append(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      open.force();
      open.reserve(100);
      open.append(ByteBuffer.wrap(new byte[] {4}));
      Files.delete(file);
      open.force();
      assertThat(open.reserved()).isEqualTo(99);
    }
  }

  /** What was opened since may have the descriptor's number, the lock of the store for one. */
  @Test
  void closingTwiceClosesNothingElse() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    FileCalls.OpenFile open = SharedFile.open(file, true);
    open.append(ByteBuffer.wrap(new byte[] {1}));
    open.close();
    List<RandomAccessFile> others = new ArrayList<>();
    for (int i = 0; i < OTHERS; i++) {
      others.add(new RandomAccessFile(folder.resolve("other-" + i).toFile(), "rw"));
    }
    open.close();
    assertThatThrownBy(open::force).isInstanceOf(IOException.class).hasMessageContaining("closed");
    for (RandomAccessFile other : others) {
      other.write(1);
      other.close();
    }
  }

  @Test
  void whatIsWrittenIsTheFileThatIsSynced() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    try (DataSync sync = Objects.requireNonNull(DataSync.open(file));
        RandomAccessFile written = new RandomAccessFile(sync.file(), "rw")) {
      Files.move(file, folder.resolve("moved"));
      Files.write(file, new byte[] {1, 2, 3});
      written.write(7);
      sync.call();
    }
    assertThat(folder.resolve("moved")).hasBinaryContent(new byte[] {7});
    assertThat(file).hasBinaryContent(new byte[] {1, 2, 3});
  }

  @Test
  void aSyncThatFailsSaysWhichFileAndWhy() throws Exception {
    Path device = Path.of("/dev/null"); // It has nothing to sync.
    try (DataSync sync = Objects.requireNonNull(DataSync.open(device))) {
      assertThatThrownBy(sync::call)
          .isInstanceOf(IOException.class)
          .hasMessage("/dev/null cannot be synced: error " + Libc.EINVAL);
    }
  }

  /** As where too many files are open: such a file is synced with Java's own call. */
  @Test
  void whatCannotBeOpenedOnceMoreIsNone() {
    assertThat(DataSync.open(folder.resolve("nothing"))).isNull();
  }
}
