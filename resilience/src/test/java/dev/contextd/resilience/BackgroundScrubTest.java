package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.StoreOptions;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.folder.ScrubRecord;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A scrub finds what rots, at its pace, and goes on where it was. */
class BackgroundScrubTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final HealthOptions OFTEN =
      HealthOptions.defaults()
          .withScanInterval(Duration.ofMillis(100))
          .withScrub(Duration.ofMillis(100), 1_000_000_000);

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private ResilientStore open(HealthOptions options) throws IOException {
    root.copyOf("chromem-go/plain");
    ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults(), options);
    store.store().checkpoint();
    return store;
  }

  /** A file that is moved away and written again is missing for a moment. */
  private static void awaitThat(Callable<Boolean> condition) {
    await().atMost(PATIENCE).ignoreExceptionsInstanceOf(IOException.class).until(condition);
  }

  /** Turns one bit and leaves size and time as they were. */
  private static void rot(Path file) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    byte[] content = Files.readAllBytes(file);
    content[content.length / 2] ^= 4;
    Files.write(file, content);
    Files.setLastModifiedTime(file, time);
  }

  @Test
  void rotThatNobodyWroteIsFoundByTheClockAndMended() throws Exception {
    Path file = root.path().resolve("a1ef3a3d/24577f65.gob");
    AtomicLong bytes = new AtomicLong();
    AtomicLong damaged = new AtomicLong();
    try (ResilientStore store = open(OFTEN)) {
      rot(file);
      byte[] rotten = Files.readAllBytes(file);
      store
          .checker()
          .listen(
              new HealthListener() {
                @Override
                public void onScrubbed(long more) {
                  bytes.addAndGet(more);
                }

                @Override
                public void onScrubDamage(int count) {
                  damaged.addAndGet(count);
                }
              });
      store.watch();
      awaitThat(() -> damaged.get() > 0);
      awaitThat(() -> Files.exists(file) && !Arrays.equals(Files.readAllBytes(file), rotten));
      awaitThat(() -> store.checker().lastScrub().isPresent());
      assertThat(store.scrubProgress().totalBytes()).isPositive();
      assertThat(store.health().isDegraded()).isFalse();
    }
    assertThat(bytes.get()).isGreaterThan(Files.size(file));
    assertThat(damaged.get()).isEqualTo(1);
  }

  @Test
  void anInterruptedScrubGoesOnWhereItWasAfterARestart() throws Exception {
    List<Long> first = new ArrayList<>();
    long total;
    try (ResilientStore store = open(HealthOptions.defaults())) {
      boolean isComplete =
          store
              .store()
              .scrub(
                  (bytes, done, all) -> {
                    first.add(all);
                    return first.size() < 20;
                  },
                  _ -> {});
      assertThat(isComplete).isFalse();
      assertThat(store.store().scrubbed().isUnderWay()).isTrue();
      total = first.getFirst();
    }
    try (ResilientStore store =
        ResilientStore.open(root.path(), StoreOptions.defaults(), HealthOptions.defaults())) {
      ScrubRecord record = store.store().scrubbed();
      assertThat(record.isUnderWay()).isTrue();
      List<Damage> found = new ArrayList<>();
      List<Long> done = new ArrayList<>();
      boolean isComplete =
          store
              .store()
              .scrub(
                  (bytes, so, all) -> {
                    done.add(so);
                    return true;
                  },
                  found::addAll);
      assertThat(isComplete).isTrue();
      assertThat(done.getFirst()).isGreaterThan(record.bytes());
      assertThat(done.getLast()).isLessThanOrEqualTo(total + total / 10);
      assertThat(found).isEmpty();
      assertThat(store.checker().lastScrub()).isPresent();
      assertThat(store.store().scrubbed().isUnderWay()).isFalse();
    }
  }

  @Test
  void aScrubReadsNoFasterThanItIsTold() throws Exception {
    AtomicLong bytes = new AtomicLong();
    try (ResilientStore store = open(OFTEN.withScrub(Duration.ofMillis(100), 1_000))) {
      store
          .checker()
          .listen(
              new HealthListener() {
                @Override
                public void onScrubbed(long more) {
                  bytes.addAndGet(more);
                }
              });
      store.watch();
      awaitThat(() -> bytes.get() > 0);
      awaitThat(() -> store.scrubProgress().isRunning());
      assertThat(store.scrubProgress().doneBytes()).isLessThan(store.scrubProgress().totalBytes());
    }
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults(), OFTEN)) {
      assertThat(store.store().scrubbed().isUnderWay()).isTrue();
    }
  }
}
