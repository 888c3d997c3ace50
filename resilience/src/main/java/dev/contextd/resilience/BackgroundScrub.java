package dev.contextd.resilience;

import dev.contextd.engine.VectorStore;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.folder.ScrubRecord;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads every byte of an open store now and then, slowly, and goes on after a restart from where it
 * was.
 *
 * <p>Invariant: nothing that a scrub throws ends it.
 */
final class BackgroundScrub implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BackgroundScrub.class);
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  /** A wait for the pace is worth it from here on. */
  private static final long MIN_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** So long closing waits for a file that is being read. */
  private static final Duration MAX_CLOSING = Duration.ofSeconds(5);

  private final VectorStore store;
  private final HealthChecker checker;
  private final Clock clock;
  private final HealthOptions options;
  private final Consumer<List<Damage>> found;
  private final StopSignal stop = new StopSignal();
  private final Thread thread;
  private volatile ScrubProgress progress = new ScrubProgress(false, 0, 0);

  /** When the scrub may have read no more than nothing; moves on as it reads. */
  private long paidNanos;

  /**
   * @param found mends what is damaged
   */
  BackgroundScrub(
      VectorStore store,
      HealthChecker checker,
      Clock clock,
      HealthOptions options,
      Consumer<List<Damage>> found) {
    this.store = store;
    this.checker = checker;
    this.clock = clock;
    this.options = options;
    this.found = found;
    this.thread = Thread.ofPlatform().daemon().name("scrub").unstarted(this::loop);
  }

  void start() {
    if (!options.scrubInterval().isZero()) {
      thread.start();
    }
  }

  ScrubProgress progress() {
    return progress;
  }

  private void loop() {
    Instant next = first(clock.instant());
    while (stop.await(Duration.between(clock.instant(), next))) {
      try {
        run();
        next = clock.instant().plus(options.scrubInterval());
      } catch (RuntimeException | Error e) {
        log.error("a scrub failed and is begun again", e);
        next = clock.instant().plus(options.scanInterval());
      }
    }
  }

  /** One that was under way goes on, and the first one waits until the start is over. */
  private Instant first(Instant now) {
    ScrubRecord record = store.scrubbed();
    Instant soon = now.plus(options.scanInterval());
    if (record.isUnderWay() || record.completed().isEmpty()) {
      return soon;
    }
    Instant due = record.completed().get().plus(options.scrubInterval());
    return due.isBefore(soon) ? soon : due;
  }

  private void run() {
    boolean isResumed = store.scrubbed().isUnderWay();
    log.info(
        "a scrub {}, at most {} bytes a second",
        isResumed ? "goes on" : "begins",
        options.scrubRate());
    paidNanos = System.nanoTime();
    boolean isComplete = store.scrub(this::goOn, found);
    log.info(
        "the scrub {} after {} bytes",
        isComplete ? "has read everything" : "is interrupted",
        progress.doneBytes());
    progress = new ScrubProgress(false, progress.doneBytes(), progress.totalBytes());
  }

  private boolean goOn(long bytes, long done, long total) {
    progress = new ScrubProgress(true, done, total);
    checker.tell(listener -> listener.onScrubbed(bytes));
    paidNanos += (long) (bytes * NANOS_PER_SECOND / options.scrubRate());
    long wait = paidNanos - System.nanoTime();
    if (wait < 0) {
      paidNanos -= wait; // A slow disk gains no right to be read faster later.
    }
    return wait < MIN_WAIT_NANOS ? !stop.isGiven() : stop.await(Duration.ofNanos(wait));
  }

  @Override
  public void close() {
    stop.give();
    try {
      if (thread.isAlive() && !thread.join(MAX_CLOSING)) {
        log.warn("the scrub still reads; what it has read since its last note is read again");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
