package dev.contextd.testkit;

import static dev.contextd.testkit.Outcomes.LEFT;
import static dev.contextd.testkit.Outcomes.RIGHT;
import static dev.contextd.testkit.Outcomes.TOP;
import static dev.contextd.testkit.Outcomes.contents;
import static dev.contextd.testkit.Outcomes.disk;
import static dev.contextd.testkit.Outcomes.read;
import static dev.contextd.testkit.Outcomes.write;
import static dev.contextd.testkit.Outcomes.writeDurably;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls.Lock;
import dev.contextd.storage.disk.FileCalls.OpenFile;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The simulated disk while it has power, and when it lies. */
class PowerCallsTest {
  private static final Path A = LEFT.resolve("a");

  private final Outcomes outcomes = new Outcomes("PowerCallsTest");

  @Test
  void itDoesAsTheMachinesOwnDisk(@TempDir Path real) throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("itDoesAsTheMachinesOwnDisk: repeat with -Dseed=" + seed);
    Disk own = new LocalDisk();
    Disk simulated = new LocalDisk(new PowerCalls());
    simulated.createDirectories(TOP);
    Random random = new Random(seed);
    for (int i = 0; i < 3_000; i++) {
      long step = random.nextLong();
      assertThat(act(simulated, TOP, new Random(step)))
          .as("seed %d, step %d", seed, i)
          .isEqualTo(act(own, real, new Random(step)));
    }
    assertThat(tree(simulated, TOP, TOP)).isEqualTo(tree(own, real, real)).isNotEmpty();
  }

  /** One random operation; tells what came of it. */
  private static String act(Disk disk, Path root, Random random) {
    Path path = somewhere(root, random);
    Path other = somewhere(root, random);
    byte[] content = new byte[random.nextInt(10_000)];
    random.nextBytes(content);
    try {
      switch (random.nextInt(11)) {
        case 0 -> disk.createDirectories(path);
        case 1 -> disk.replaceDurably(List.of(new Disk.Image(path, content)));
        case 2 -> disk.replaceLazily(new Disk.Image(path, content));
        case 3 -> {
          try (Disk.Appender appender = disk.appender(path)) {
            appender.append(ByteBuffer.wrap(content));
            appender.sync();
            appender.append(ByteBuffer.wrap(content));
          }
        }
        case 4 -> disk.move(path, other);
        case 5 -> disk.removeEmptyDirectory(path);
        case 6 -> disk.remove(path);
        case 7 -> disk.syncAll(root);
        case 8 -> disk.createLazily(new Disk.Image(path, content));
        case 9 -> {
          return disk.kind(path) + " " + disk.exists(other) + " " + disk.read(path).length;
        }
        default -> {
          return disk.list(path).stream().map(Disk.Entry::name).toList().toString();
        }
      }
      return "done";
    } catch (FileAlreadyExistsException e) {
      return "it exists";
    } catch (IOException e) {
      return "failed"; // Which of two reasons a system names is its own affair.
    }
  }

  private static Path somewhere(Path root, Random random) {
    Path path = root.resolve("n" + random.nextInt(4));
    return random.nextInt(3) == 0 ? path : path.resolve("n" + random.nextInt(4));
  }

  private static List<String> tree(Disk disk, Path folder, Path root) throws IOException {
    List<String> tree = new ArrayList<>();
    for (Disk.Entry entry : disk.list(folder)) {
      String path = root.relativize(entry.path()).toString();
      if (entry.kind() == Disk.Kind.DIRECTORY) {
        tree.add(path);
        tree.addAll(tree(disk, entry.path(), root));
      } else {
        tree.add(path + " " + HexFormat.of().formatHex(disk.sum(entry.path()).sha256()));
      }
    }
    return tree;
  }

  @Test
  void anOpenFileStaysWithItsFile() throws Exception {
    PowerCalls calls = disk();
    OpenFile open = calls.create(A);
    calls.rename(A, RIGHT.resolve("moved"));
    open.append(ByteBuffer.wrap(new byte[] {'x'}));
    assertThat(contents(A, RIGHT.resolve("moved")).at(calls)).isEqualTo("- x");
    calls.remove(RIGHT.resolve("moved"));
    open.append(ByteBuffer.wrap(new byte[] {'y'}));
    assertThat(open.size()).isEqualTo(2);
    open.close();
    assertThatThrownBy(open::force).isInstanceOf(ClosedChannelException.class);
  }

  @Test
  void aLockIsHeldOnceAndNotAfterACrash() throws Exception {
    PowerCalls calls = disk();
    Lock lock = Objects.requireNonNull(calls.tryLock(A));
    assertThat(calls.tryLock(A)).isNull();
    assertThat(calls.crash(calls.logLength(), Survivors.EVERYTHING, new Random(0)).tryLock(A))
        .isNotNull();
    lock.close();
    assertThat(calls.tryLock(A)).isNotNull();
    assertThat(calls.logLength()).as("a lock writes nothing but its file").isOne();
  }

  @Test
  void aKilledProcessLeavesWhatItDidAndPowerCanStillBeLost() throws Exception {
    PowerCalls calls = disk();
    calls.tryLock(RIGHT.resolve("lock"));
    write(calls, A, "x");
    calls.syncFile(A);
    int prefix = calls.logLength();
    calls.remove(A);
    PowerCalls killed = calls.kill(prefix);
    assertThat(contents(A).at(killed)).isEqualTo("x");
    assertThat(killed.logLength()).isEqualTo(prefix);
    assertThat(killed.tryLock(RIGHT.resolve("lock"))).isNotNull();
    assertThat(outcomes.of(killed, contents(A))).containsExactly("-", "x");
    killed.syncDirectory(LEFT);
    assertThat(outcomes.of(killed, contents(A))).containsExactly("x");
  }

  @Test
  void aLyingDiskDoesNotSyncWhatItIsToldNotTo() throws Exception {
    PowerCalls lying =
        disk().without((call, path) -> call == SyncSite.Call.DIRECTORY && path.equals(LEFT));
    writeDurably(lying, A, "left");
    writeDurably(lying, RIGHT.resolve("a"), "right");
    assertThat(lying.ignored()).isOne();
    assertThat(outcomes.of(lying, contents(A, RIGHT.resolve("a"))))
        .containsExactly("- right", "left right");
  }

  @Test
  void everySyncCanBeALie() throws Exception {
    for (SyncSite.Call lie : SyncSite.Call.values()) {
      PowerCalls lying = disk().without((call, _) -> call == lie);
      write(lying, A, "x");
      switch (lie) {
        case FILE -> lying.syncFile(A);
        case DIRECTORY -> lying.syncDirectory(LEFT);
        case FILE_SYSTEM -> lying.syncFileSystem(TOP);
      }
      assertThat(lying.ignored()).isOne();
      assertThat(outcomes.of(lying, contents(A))).contains("-", "", "x");
    }
    PowerCalls lying = disk().without((_, path) -> path.equals(A));
    try (OpenFile open = lying.create(A)) {
      open.append(ByteBuffer.wrap(new byte[] {'x'}));
      open.force();
    }
    assertThat(lying.ignored()).isOne();
  }

  @Test
  void whatIsThereCanBeWrittenToARealFolder(@TempDir Path real) throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "xyz");
    calls.materialise(real.resolve("new"));
    Path root = Objects.requireNonNull(A.getRoot());
    assertThat(real.resolve("new").resolve(root.relativize(A).toString())).hasContent("xyz");
    assertThat(Files.isDirectory(real.resolve("new/top/right"))).isTrue();
  }

  @Test
  void theLogCanBeRead() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "xyz");
    assertThat(calls.describe(0, 9))
        .containsExactly(
            "create " + A, "append 3 to " + A, "sync FILE " + A, "sync DIRECTORY " + LEFT);
    assertThat(calls.describe(-1, 1)).containsExactly("create " + A);
  }

  @Test
  void manyThreadsMayWrite() throws Exception {
    PowerCalls calls = disk();
    List<Future<?>> writers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 4; i++) {
        Path file = LEFT.resolve("" + i);
        writers.add(
            threads.submit(() -> {
              try (OpenFile open = calls.create(file)) {
                for (int n = 0; n < 500; n++) {
                  open.append(ByteBuffer.wrap(new byte[] {(byte) n}));
                  open.force();
                  calls.crash(calls.logLength(), Survivors.ANY, new Random(n));
                }
              }
              return null;
            }));
      }
    }
    for (Future<?> writer : writers) {
      writer.get();
    }
    assertThat(calls.logLength()).isEqualTo(4 * (1 + 2 * 500));
    for (int i = 0; i < 4; i++) {
      assertThat(read(calls, LEFT.resolve("" + i))).hasSize(500);
    }
  }
}
