package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.RealDisk;
import dev.contextd.storage.pack.Manifest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints that make themselves, beside writers, and a journal that must not grow for ever. */
class CheckpointThreadTest {
  private static final KeeperOptions AT_ONCE =
      new KeeperOptions(Duration.ZERO, 0, 1, Duration.ofDays(30));

  @TempDir Path temp;
  private final FaultyDisk disk = new FaultyDisk();

  @BeforeEach
  void createTheRoot() throws IOException {
    Files.createDirectory(root());
  }

  private Path root() {
    return temp.resolve("store");
  }

  @Test
  void aWriteReachesItsFileWithoutBeingAskedFor() throws Exception {
    CountDownLatch written = new CountDownLatch(1);
    disk.fault((operation, path) -> {
      if (operation == Operation.REPLACE && path.endsWith(Opened.file("a"))) {
        written.countDown();
      }
    });
    try (Opened store = Opened.of(root(), disk, AT_ONCE).create(NOTES)) {
      store.keeper().start();
      store.put("a", "1");
      written.await();
    }
  }

  @Test
  void writersWaitForRoomAndAreRefusedWhereThereWillBeNone() throws Exception {
    Opened store = Opened.of(root(), disk, AT_ONCE).create(NOTES);
    store.keeper().start();
    disk.fault((operation, path) -> {
      if (path.endsWith(Manifest.FILE)) {
        throw new IOException("No space left on device");
      }
    });
    store.put("a", "1");
    assertThatThrownBy(() -> store.keeper().awaitRoom())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be emptied")
        .hasMessageContaining("No space left on device");
    assertThat(store.keeper().status().failure()).isPresent();
    disk.heal();
    store.checkpoint();
    store.keeper().awaitRoom();
    assertThat(store.keeper().status().failure()).isEmpty();
    assertThat(store.keeper().status().pendingBytes()).isZero();
    store.put("b", "2");
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(Map.of("a", "1", "b", "2"));
    }
  }

  @Test
  void aFullJournalThatHoldsAWriteNobodySeesRefusesMoreAndAsksForARestart() throws Exception {
    Opened store = Opened.of(root(), disk, AT_ONCE).create(NOTES);
    assertThatThrownBy(() -> store.putUnshown("a", "1")).hasMessageContaining("not be shown");
    store.keeper().start();
    assertThatThrownBy(() -> store.keeper().awaitRoom())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("restart");
    store.keeper().close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(Map.of("a", "1"));
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void aNamesakeIsCreatedOnceTheBurialInHandIsDone() throws Exception {
    Opened store = Opened.of(root(), disk).create(NOTES).put("a", "old").checkpoint();
    CountDownLatch isBurying = new CountDownLatch(1);
    CountDownLatch mayBury = new CountDownLatch(1);
    disk.fault((operation, path) -> {
      if (operation == Operation.MOVE && path.endsWith(Opened.FOLDER)) {
        isBurying.countDown();
        awaitQuietly(mayBury);
      }
    });
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    Thread dropping = Thread.ofVirtual().start(() -> attempt(() -> store.drop(NOTES), failures));
    isBurying.await();
    Thread creating = Thread.ofPlatform().start(() -> attempt(() -> store.create(NOTES), failures));
    while (creating.isAlive() && !isWaiting(creating)) {
      Thread.onSpinWait();
    }
    mayBury.countDown();
    dropping.join();
    creating.join();
    assertThat(failures).isEmpty();
    store.put("b", "of the namesake").close();
    assertThat(store.trash()).containsEntry(Opened.FOLDER + "/" + Opened.file("a"), "old");
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(Map.of("b", "of the namesake"));
      assertThat(again.damage()).isEmpty();
    }
  }

  private static boolean isWaiting(Thread thread) {
    return thread.getState() == Thread.State.BLOCKED || thread.getState() == Thread.State.WAITING;
  }

  @Test
  void whatACheckpointCoversOfACollectionThatIsDeletedMeanwhileIsInItsFiles() throws Exception {
    Opened store = Opened.of(root(), disk).create(NOTES).create("other").checkpoint();
    store.put("a", "unwritten").put("other", List.of(Opened.document("o", "unwritten too")));
    Path other = root().resolve(Names.hash("other"));
    CountDownLatch isBurying = new CountDownLatch(1);
    CountDownLatch mayBury = new CountDownLatch(1);
    AtomicBoolean isCovered = new AtomicBoolean();
    disk.fault((operation, path) -> {
      if (operation == Operation.MOVE && path.endsWith(Opened.FOLDER)) {
        isBurying.countDown();
        awaitQuietly(mayBury);
      } else if (path.endsWith(Manifest.FILE)) {
        isCovered.set(true);
      } else if (isCovered.get() && path.startsWith(other)) {
        throw new IOException("No space left on device"); // Its own burial does not come to pass.
      }
    });
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    Thread first = Thread.ofVirtual().start(() -> attempt(() -> store.drop(NOTES), failures));
    isBurying.await();
    Thread second = Thread.ofVirtual().start(() -> attempt(() -> store.drop("other"), failures));
    while (store.contents().containsKey("other")) {
      Thread.onSpinWait();
    }
    mayBury.countDown();
    first.join();
    second.join();
    assertThat(failures).isEmpty();
    try (Opened crashed = Opened.of(store.crashedTo(temp.resolve("crashed")))) {
      assertThat(crashed.contents()).isEmpty();
      crashed.checkpoint();
      assertThat(crashed.trash().values()).containsExactlyInAnyOrder("unwritten", "unwritten too");
    }
    disk.heal();
    store.close();
  }

  @Test
  void theDiskIsWatchedFromBeforeTheFirstFileUntilTheEnd() throws Exception {
    List<String> log = Collections.synchronizedList(new ArrayList<>());
    Disk watching =
        new RealDisk() {
          @Override
          public Closeable watch(Path path) throws IOException {
            log.add("watch");
            Closeable watch = disk.watch(path);
            return () -> {
              log.add("end");
              watch.close();
            };
          }

          @Override
          public FileCalls.Stat replaceLazily(Image image) throws IOException {
            log.add("write");
            return disk.replaceLazily(image);
          }

          @Override
          public FileCalls.Stat createLazily(Image image) throws IOException {
            log.add("write");
            return disk.createLazily(image);
          }

          @Override
          public void syncAll(Path path) throws IOException {
            log.add("sync");
            disk.syncAll(path);
          }
        };
    Opened store = Opened.of(root(), watching).create(NOTES).put("a", "1").checkpoint();
    store.put("a", "2").checkpoint();
    store.close();
    assertThat(log).containsExactly("watch", "write", "sync", "write", "sync", "end");
  }

  /** What may fail. */
  @FunctionalInterface
  private interface Attempt {
    void make() throws IOException;
  }

  private static void attempt(Attempt attempt, List<Throwable> failures) {
    try {
      attempt.make();
    } catch (IOException | RuntimeException | Error e) {
      failures.add(e);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aStoreThatCannotBeEmptiedSaysSoAtItsEndAndTheJournalStays() throws Exception {
    Opened store = Opened.of(root(), disk).create(NOTES).put("a", "1");
    disk.fault((operation, _) -> {
      if (operation == Operation.SYNC_ALL) {
        throw new IOException("No space left on device");
      }
    });
    assertThatThrownBy(() -> store.keeper().close()).hasMessage("No space left on device");
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(Map.of("a", "1"));
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void checkpointsBesideManyWritersLoseNothing() throws Exception {
    KeeperOptions busy = new KeeperOptions(Duration.ZERO, 0, 1 << 20, Duration.ZERO);
    Map<String, String> model = Collections.synchronizedMap(new TreeMap<>());
    Opened store = Opened.of(root(), disk, busy).create(NOTES);
    store.keeper().start();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> writers = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      String name = "thread " + t;
      writers.add(Thread.ofVirtual().start(() -> write(store, name, model, failures)));
    }
    for (Thread writer : writers) {
      writer.join();
    }
    assertThat(failures).isEmpty();
    assertThat(store.notes()).isEqualTo(model);
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(model);
      assertThat(again.damage()).isEmpty();
    }
  }

  private static void write(
      Opened store, String name, Map<String, String> model, List<Throwable> failures) {
    try {
      for (int i = 0; i < 150; i++) {
        String id = name + "/" + i % 40;
        store.keeper().awaitRoom();
        if (i % 7 == 6) {
          store.remove(id);
          model.remove(id);
        } else {
          store.put(id, "content " + i);
          model.put(id, "content " + i);
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      failures.add(e);
    }
  }
}
