package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.StoreOptions;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Checks of health: shared, patient, honest where they fail, and each transition told once. */
class HealthCheckerTest {
  private static final String MEMORIES = "e9f85bf6";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /** Holds every listing of the root until it is let go, or fails it. */
  private static final class Gated extends ForwardingDisk {
    private final LocalDisk disk = new LocalDisk();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private final AtomicInteger listings = new AtomicInteger();
    private volatile String failure = "";

    @Override
    protected Disk next() {
      return disk;
    }

    @Override
    public List<Entry> list(Path directory) throws IOException {
      if (directory.endsWith("vectorstore")) {
        listings.incrementAndGet();
        try {
          gate.await();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
        if (!failure.isEmpty()) {
          throw new IOException(failure);
        }
      }
      return disk.list(directory);
    }
  }

  /** Writes down all that it hears. */
  private static final class Diary implements HealthListener {
    private final List<String> events = new ArrayList<>();

    @Override
    public void onCorrupt(List<String> folders) {
      events.add("corrupt " + folders);
    }

    @Override
    public void onDegraded(HealthReport report) {
      events.add("degraded");
    }

    @Override
    public void onRecovered(HealthReport report) {
      events.add("recovered");
    }

    @Override
    public void onError(HealthReport report) {
      events.add("error");
      throw new IllegalStateException("a listener that fails harms nobody");
    }
  }

  private ResilientStore open(Disk disk, HealthOptions options) throws IOException {
    return ResilientStore.open(root.path(), StoreOptions.defaults().withDisk(disk), options);
  }

  @Test
  void whoAsksWhileAScanCouldStillAnswerSharesIt() throws Exception {
    root.copyOf("chromem-go/plain");
    Gated disk = new Gated();
    try (ResilientStore store = open(disk, HealthOptions.defaults());
        var callers = Executors.newFixedThreadPool(60)) {
      CountDownLatch gate = new CountDownLatch(1);
      disk.gate = gate;
      disk.listings.set(0);
      List<Future<HealthReport>> answers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        boolean fresh = i % 2 == 0;
        answers.add(
            callers.submit(() -> fresh ? store.checker().fresh() : store.checker().latest()));
      }
      gate.countDown();
      for (Future<HealthReport> answer : answers) {
        assertThat(answer.get().isDegraded()).isFalse();
      }
      // One in hand when they came and one for those who came after it had begun, or a few more
      // where the threads were late.
      assertThat(disk.listings.get()).isBetween(1, 10);
    }
  }

  @Test
  void aScanThatHangsIsAnErrorAndTheNextOneHeals() throws Exception {
    root.copyOf("chromem-go/plain");
    Gated disk = new Gated();
    HealthOptions options =
        HealthOptions.defaults().withMaxAge(Duration.ZERO).withPatience(Duration.ofMillis(50));
    try (ResilientStore store = open(disk, options)) {
      Diary diary = new Diary();
      store.checker().listen(diary);
      CountDownLatch gate = new CountDownLatch(1);
      disk.gate = gate;
      assertThat(store.health().error())
          .hasValueSatisfying(why -> assertThat(why).contains("back"));
      assertThat(store.health().isDegraded()).isTrue();
      gate.countDown();
      org.awaitility.Awaitility.await().until(() -> store.health().error().isEmpty());
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(diary.events).containsExactly("error", "recovered");
    }
  }

  @Test
  void eachTransitionIsToldOnce() throws Exception {
    root.copyOf("chromem-go/plain");
    Gated disk = new Gated();
    try (ResilientStore store = open(disk, HealthOptions.defaults())) {
      Diary diary = new Diary();
      store.checker().listen(diary);
      store.health();
      store.health();
      assertThat(diary.events).isEmpty();
      Path bad = root.path().resolve(MEMORIES + "/7fffffff.gob");
      Files.write(bad, new byte[] {1});
      store.health();
      store.health();
      assertThat(diary.events).containsExactly("corrupt [" + MEMORIES + "]", "degraded");
      disk.failure = "injected";
      assertThat(store.health().error()).contains("injected");
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      disk.failure = "";
      store.health();
      Files.delete(bad);
      store.health();
      store.health();
      assertThat(diary.events)
          .containsExactly(
              "corrupt [" + MEMORIES + "]", "degraded", "error", "degraded", "recovered");
    }
  }

  @Test
  void aStoreThatIsDegradedAtItsFirstCheckIsTold() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    try (ResilientStore store = open(new Gated(), HealthOptions.defaults())) {
      Diary diary = new Diary();
      store.checker().listen(diary);
      assertThat(store.health().damage()).containsEntry("metadata_unknown", 1);
      store.health();
      assertThat(diary.events).containsExactly("corrupt [" + MEMORIES + "]", "degraded");
    }
  }

  @Test
  void theBrakeDegradesAlthoughEverythingIsServed() throws Exception {
    root.copyOf("chromem-go/plain");
    open(new Gated(), HealthOptions.defaults()).close();
    try (var files = Files.list(root.path().resolve("a1ef3a3d"))) {
      for (Path file : files.filter(f -> !f.endsWith("00000000.gob")).limit(15).toList()) {
        Files.delete(file);
      }
    }
    try (ResilientStore store = open(new Gated(), HealthOptions.defaults())) {
      HealthReport health = store.health();
      assertThat(health.corrupt()).isEmpty();
      assertThat(health.isDegraded()).isTrue();
      assertThat(health.brake()).isPresent();
      assertThat(health.readOnly()).isPresent();
      assertThat(health.damage()).containsEntry("document_missing", 15);
    }
  }
}
