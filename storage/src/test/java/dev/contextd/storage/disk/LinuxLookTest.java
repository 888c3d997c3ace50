package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.FileState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A large folder is found to be as it was left, and with any change it is not. */
class LinuxLookTest {
  private static final int FEW = 300;

  private static final String NAMESAKE = "00000007-3.gob";
  private static final String METADATA = "00000000.gob";
  private static final String ONE = "%08x.gob".formatted(FEW / 2);

  @TempDir Path temp;
  private Path folder;
  private final LocalDisk disk = new LocalDisk();

  /** Files by what Java tells of them. */
  static final class Known implements LeftFolder.Files {
    private final Map<Long, Integer> numbers = new HashMap<>();
    private final List<Long> sizes = new ArrayList<>();
    private final List<Long> times = new ArrayList<>();

    Known(Path folder) throws IOException {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          BasicFileAttributes is =
              Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
          numbers.put(
              FileState.key(String.valueOf(file.getFileName())).orElseThrow(), sizes.size());
          sizes.add(is.size());
          times.add(is.lastModifiedTime().to(TimeUnit.NANOSECONDS));
        }
      }
    }

    @Override
    public int count() {
      return sizes.size();
    }

    @Override
    public int number(long key) {
      return numbers.getOrDefault(key, -1);
    }

    @Override
    public long size(int number) {
      return sizes.get(number);
    }

    @Override
    public long modifiedNanos(int number) {
      return times.get(number);
    }
  }

  @BeforeEach
  void fill() throws Exception {
    folder = Files.createDirectory(temp.resolve("folder"));
    fill(1, FEW);
    Files.createFile(folder.resolve(NAMESAKE));
    Files.createFile(folder.resolve(METADATA));
  }

  private void fill(int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      Files.write(folder.resolve("%08x.gob".formatted(i)), new byte[i % 3]);
    }
  }

  private LeftFolder left() throws IOException {
    return Objects.requireNonNull(left(new Known(folder)));
  }

  /** Whatever the folder's size is. */
  private @Nullable LeftFolder left(LeftFolder.Files files) {
    return LinuxFolder.find().orElseThrow().left(folder, files);
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  @Test
  void anyNumberOfThreadsTakePartAndNobodyNeedsTheAnswer() throws Exception {
    LeftFolder left = left();
    Disk.Look look = disk.look(folder, left);
    Disk.Look unanswered = disk.look(folder, left);
    long before = openFiles();
    try (ExecutorService pool = Executors.newFixedThreadPool(6)) {
      List<Callable<Boolean>> tasks = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        tasks.add(look::isAsLeft);
        tasks.add(() -> {
          look.takePart();
          unanswered.takePart();
          return true;
        });
      }
      for (Future<Boolean> one : pool.invokeAll(tasks)) {
        assertThat(one.get()).isTrue();
      }
    }
    assertThat(openFiles()).as("the folder was closed by whoever came last").isEqualTo(before);
    assertThat(look.isAsLeft()).as("asked again").isTrue();
  }

  /** What happens to a folder between two looks. */
  enum Change {
    ADDED {
      @Override
      void happen(Path folder) throws IOException {
        Files.createFile(folder.resolve("fffffff0.gob"));
      }
    },
    REMOVED {
      @Override
      void happen(Path folder) throws IOException {
        Files.delete(folder.resolve(ONE));
      }
    },
    RENAMED {
      @Override
      void happen(Path folder) throws IOException {
        Files.move(folder.resolve(ONE), folder.resolve("fffffff0.gob"));
      }
    },
    GROWN {
      @Override
      void happen(Path folder) throws IOException {
        FileTime time = Files.getLastModifiedTime(folder.resolve(ONE));
        Files.write(folder.resolve(ONE), new byte[5]);
        Files.setLastModifiedTime(folder.resolve(ONE), time);
      }
    },
    TOUCHED {
      @Override
      void happen(Path folder) throws IOException {
        Files.setLastModifiedTime(folder.resolve(ONE), FileTime.fromMillis(1));
      }
    },
    METADATA_TOUCHED {
      @Override
      void happen(Path folder) throws IOException {
        Files.setLastModifiedTime(folder.resolve(METADATA), FileTime.fromMillis(1));
      }
    },
    NAMESAKE_GROWN {
      @Override
      void happen(Path folder) throws IOException {
        Files.write(folder.resolve(NAMESAKE), new byte[5]);
      }
    },
    TWO_NAMES_CHANGED_PLACES {
      @Override
      void happen(Path folder) throws IOException {
        Path other = folder.resolve("%08x.gob".formatted(FEW / 2 + 1));
        Files.move(folder.resolve(ONE), folder.resolve("aside"));
        Files.move(other, folder.resolve(ONE));
        Files.move(folder.resolve("aside"), other);
      }
    },
    A_FOLDER_INSTEAD {
      @Override
      void happen(Path folder) throws IOException {
        Files.delete(folder.resolve(ONE));
        Files.createDirectory(folder.resolve(ONE));
      }
    },
    A_LINK_INSTEAD {
      @Override
      void happen(Path folder) throws IOException {
        Files.move(folder.resolve(ONE), folder.resolveSibling("elsewhere"));
        Files.createSymbolicLink(folder.resolve(ONE), folder.resolveSibling("elsewhere"));
      }
    },
    EMPTIED {
      @Override
      void happen(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
      }
    },
    GONE {
      @Override
      void happen(Path folder) throws IOException {
        Files.move(folder, folder.resolveSibling("elsewhere"));
      }
    };

    abstract void happen(Path folder) throws IOException;
  }

  @ParameterizedTest
  @EnumSource
  void whatSomebodyChangedIsNotAsItWasLeft(Change change) throws Exception {
    LeftFolder left = left();
    change.happen(folder);
    long before = openFiles();
    assertThat(disk.look(folder, left).isAsLeft()).isFalse();
    assertThat(openFiles()).isEqualTo(before);
  }

  @Test
  void oneNumberThatDiffersIsEnough() throws Exception {
    fill(FEW, 2_500);
    LeftFolder left = left();
    for (int file : List.of(0, 2_048, left.files() - 1)) {
      for (int number = 0; number < LeftFolder.NUMBERS; number++) {
        long[] states = left.states().clone();
        states[file * LeftFolder.NUMBERS + number]++;
        LeftFolder other = new LeftFolder(left.nameBytes(), left.nameSum(), states);
        assertThat(disk.look(folder, other).isAsLeft()).as("file %d", file).isFalse();
      }
    }
    LeftFolder otherNames = new LeftFolder(left.nameBytes(), left.nameSum() + 1, left.states());
    assertThat(disk.look(folder, otherNames).isAsLeft()).isFalse();
  }

  @Test
  void aFolderWithAnyOtherNameIsNotTold() throws Exception {
    Known known = new Known(folder);
    Files.createFile(folder.resolve("stray"));
    assertThat(left(known)).as("a stray name").isNull();
    Files.delete(folder.resolve("stray"));
    Files.createFile(folder.resolve("fffffff0.gob"));
    assertThat(left(known)).as("an unknown file").isNull();
    Files.delete(folder.resolve("fffffff0.gob"));
    assertThat(left(known)).isNotNull();
    Files.delete(folder.resolve(ONE));
    assertThat(left(known)).as("one is missing").isNull();
  }

  @Test
  void aSmallFolderIsNotTold() throws Exception {
    Path small = Files.createDirectory(temp.resolve("small"));
    Files.createFile(small.resolve(METADATA));
    Optional<LeftFolder> left =
        disk.left(
            small,
            () -> {
              throw new AssertionError("asked for the files of a small folder");
            });
    assertThat(left).isEmpty();
  }
}
