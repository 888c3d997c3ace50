package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import dev.contextd.storage.pack.Manifest;
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
