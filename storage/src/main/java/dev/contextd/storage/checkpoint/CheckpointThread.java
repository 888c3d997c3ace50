package dev.contextd.storage.checkpoint;

import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.Journal;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when a checkpoint is made: soon after a write, at once where the journal grows, and again
 * after a pause where one failed.
 *
 * <p>Invariant: nothing that a checkpoint throws ends the thread.
 */
final class CheckpointThread {
  private static final Logger log = LoggerFactory.getLogger(CheckpointThread.class);
  private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(2);
  private static final Duration PURGE_EVERY = Duration.ofHours(1);

  private final Checkpointer checkpointer;
  private final PackMerging merging;
  private final Journal journal;
  private final AuditLog audit;
  private final KeeperOptions options;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition signal = lock.newCondition();
  private boolean isWoken;
  private boolean isUrgent;
  private boolean isStopping;
  private @Nullable Thread thread;
  private Instant nextPurge;
  private volatile Optional<Instant> last = Optional.empty();
  private volatile Optional<IOException> failure = Optional.empty();

  private final AtomicBoolean isMergePlanned = new AtomicBoolean();
  private final ExecutorService mergeThread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("merge").factory());

  /** When the oldest write came that no checkpoint has begun to cover. */
  private final AtomicReference<@Nullable Instant> oldest = new AtomicReference<>();

  /** The same of the checkpoint in hand. */
  private volatile @Nullable Instant inHand;

  CheckpointThread(
      Checkpointer checkpointer,
      Journal journal,
      StoreFolder folder,
      KeeperOptions options,
      Clock clock) {
    this.checkpointer = checkpointer;
    this.merging = new PackMerging(checkpointer);
    this.journal = journal;
    this.audit = folder.audit();
    this.options = options;
    this.clock = clock;
    this.nextPurge = clock.instant();
  }

  void start() {
    lock.lock();
    try {
      isWoken = true;
      if (journal.pendingBytes() > 0) {
        oldest.set(clock.instant());
      }
      thread = Thread.ofPlatform().daemon().name("checkpoint").start(this::loop);
    } finally {
      lock.unlock();
    }
  }

  /** A write became visible. */
  void noteWrite() {
    if (oldest.get() == null) {
      oldest.compareAndSet(null, clock.instant());
    }
    boolean urgent = journal.pendingBytes() > options.checkpointBytes();
    if (urgent || !isWoken()) {
      wake(urgent);
    }
  }

  private boolean isWoken() {
    lock.lock();
    try {
      return isWoken;
    } finally {
      lock.unlock();
    }
  }

  private void wake(boolean urgent) {
    lock.lock();
    try {
      isWoken = true;
      isUrgent |= urgent;
      signal.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void loop() {
    try {
      while (awaitWork()) {
        Duration pause = Duration.ZERO;
        try {
          checkpoint();
          mergeSoon();
          purgeWhenDue();
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
          log.warn("a checkpoint failed and is tried again: {}", e.toString(), e);
          pause = PAUSE_AFTER_FAILURE;
          wake(false);
        }
        sleep(pause);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns whether to go on. */
  private boolean awaitWork() throws InterruptedException {
    lock.lock();
    try {
      while (!isWoken && !isStopping) {
        if (!signal.await(PURGE_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
          isWoken = true; // Time to look into the trash.
        }
      }
      // More writes may share the checkpoint.
      long nanos = options.interval().toNanos();
      while (nanos > 0 && !isUrgent && !isStopping) {
        nanos = signal.awaitNanos(nanos);
      }
      isWoken = false;
      isUrgent = false;
      return !isStopping;
    } finally {
      lock.unlock();
    }
  }

  private void sleep(Duration pause) throws InterruptedException {
    lock.lock();
    try {
      long nanos = pause.toNanos();
      while (nanos > 0 && !isStopping) {
        nanos = signal.awaitNanos(nanos);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Makes one checkpoint in the calling thread. */
  void checkpoint() throws IOException {
    Instant since = oldest.getAndSet(null);
    inHand = inHand == null ? since : inHand;
    try {
      checkpointer.run(false);
      inHand = null;
      last = Optional.of(clock.instant());
      failure = Optional.empty();
    } catch (IOException e) {
      failure = Optional.of(e);
      throw e;
    } catch (RuntimeException e) {
      failure = Optional.of(new IOException(e.toString(), e));
      throw e;
    }
  }

  /** Makes a checkpoint; one that fails is tried again later. */
  void checkpointNow() {
    try {
      checkpoint();
    } catch (IOException | RuntimeException e) {
      log.warn("a checkpoint failed and is tried again: {}", e.toString());
      wake(true);
    }
  }

  /** Merging may take as long as many checkpoints, which go on meanwhile. */
  private void mergeSoon() {
    if (isMergePlanned.compareAndSet(false, true)) {
      try {
        mergeThread.execute(this::mergePlanned);
      } catch (RuntimeException | Error e) { // There may be no memory for the thread.
        isMergePlanned.set(false);
        throw e;
      }
    }
  }

  private void mergePlanned() {
    isMergePlanned.set(false);
    try {
      merge(options.retention());
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      log.warn(
          "packs could not be merged, which is tried again after the next checkpoint: {}",
          e.toString(),
          e);
    }
  }

  private void merge(Duration deadFor) throws IOException {
    long deadBefore = clock.instant().minus(deadFor).toEpochMilli();
    while (merging.run(deadBefore)) { // What dies meanwhile is for the next time.
      log.debug("packs were merged");
    }
  }

  private void purgeWhenDue() throws IOException {
    if (!clock.instant().isBefore(nextPurge)) {
      nextPurge = clock.instant().plus(PURGE_EVERY);
      int purged = checkpointer.purgeTrash(options.retention());
      if (purged > 0) {
        log.info(
            "{} entries of the trash were older than {} and are gone", purged, options.retention());
        String why =
            "%d entries of the trash were older than %s.".formatted(purged, options.retention());
        audit.note(List.of(new AuditLog.Entry("purged", "", "", why)));
      }
    }
  }

  int purge(Duration olderThan) throws IOException {
    checkpoint();
    merge(olderThan);
    if (merging.isOver()) {
      throw new IOException("the store is being closed");
    }
    return checkpointer.purgeTrash(olderThan);
  }

  /** Waits while the journal is full; fails where it will stay so. */
  void awaitRoom() throws IOException {
    if (journal.pendingBytes() <= options.maxPendingBytes()) {
      return;
    }
    wake(true);
    try {
      journal.awaitRoom(
          options.maxPendingBytes(), () -> failure.isPresent() || journal.isUnshown());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the journal was full", e);
    }
    Optional<IOException> why = failure;
    boolean isFull = journal.pendingBytes() > options.maxPendingBytes();
    if (isFull && journal.isUnshown()) {
      throw new IOException(
          "the journal is full, and holds a write that could not be shown; restart to read it");
    }
    if (isFull && why.isPresent()) {
      throw new IOException(
          "the journal is full and cannot be emptied: " + why.get().getMessage(), why.get());
    }
  }

  KeeperStatus status() {
    return new KeeperStatus(
        journal.pendingBytes(),
        options.maxPendingBytes(),
        lag(),
        last,
        failure.map(e -> String.valueOf(e.getMessage())),
        journal.metrics());
  }

  private Duration lag() {
    Instant since = inHand;
    since = since == null ? oldest.get() : since;
    return since == null || journal.pendingBytes() == 0
        ? Duration.ZERO
        : Duration.between(since, clock.instant());
  }

  /** Ends the thread after the checkpoint in hand, and merging at once. */
  void stop() {
    merging.stop();
    Thread running;
    lock.lock();
    try {
      isStopping = true;
      signal.signalAll();
      running = thread;
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (running != null && running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    mergeThread.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
