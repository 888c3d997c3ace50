package dev.contextd.resilience;

import dev.contextd.storage.chromem.Names;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after an open store: checks all of it now and then, looks at once where the system tells of
 * a change, and has mended what can be.
 *
 * <p>Invariants: nothing that a check throws or holds up ends it; checks for the sake of events
 * take a small part of the time, however many there are.
 */
final class BackgroundScanner implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BackgroundScanner.class);

  /** Changes come in swarms: the first one waits for the others. */
  private static final Duration SWARM = Duration.ofMillis(100);

  /** After a check for events so many times its duration passes before the next one. */
  private static final int REST = 10;

  private static final Duration MAX_REST = Duration.ofSeconds(30);

  private final Path root;
  private final HealthChecker checker;
  private final Mender mender;
  private final Clock clock;
  private final Duration interval;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition signal = lock.newCondition();

  /** Folders in which something changed since the last look; guarded by {@link #lock}. */
  private final Set<String> touched = new HashSet<>();

  private boolean isStopping;
  private Instant nextFull;
  private Instant rested;
  private Optional<FolderEvents> events = Optional.empty();

  BackgroundScanner(
      Path root, HealthChecker checker, Mender mender, Clock clock, Duration interval) {
    this.root = root;
    this.checker = checker;
    this.mender = mender;
    this.clock = clock;
    this.interval = interval;
    this.nextFull = clock.instant();
    this.rested = clock.instant();
  }

  void start() {
    checker.onFinding(found -> {
      mender.note(found);
      wake();
    });
    try {
      events = Optional.of(FolderEvents.of(root, this::touch));
    } catch (IOException | UnsupportedOperationException e) {
      log.warn("changes are found every {} only, because nobody tells: {}", interval, e.toString());
    }
    watch(); // Before the first check, which then covers what changed until now.
    Thread.ofPlatform().daemon().name("scanner").start(this::loop);
  }

  private void touch(Set<String> names) {
    lock.lock();
    try {
      touched.addAll(names);
      signal.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void wake() {
    lock.lock();
    try {
      signal.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void loop() {
    while (awaitWork()) {
      try {
        step();
      } catch (RuntimeException | Error e) {
        log.error("the scanner failed and goes on", e);
        nextFull = clock.instant().plus(interval);
      }
    }
  }

  private void step() {
    Instant now = clock.instant();
    if (!now.isBefore(nextFull)) {
      nextFull = now.plus(interval);
      take();
      checker.fresh();
    } else if (isTouched() && !now.isBefore(rested)) {
      checker.fresh(take());
      rest(now);
    }
    watch();
    boolean isDue = mender.due().filter(due -> !due.isAfter(clock.instant())).isPresent();
    Set<String> changed = isDue ? mender.act() : Set.of();
    if (!changed.isEmpty()) {
      checker.fresh(changed);
    }
  }

  /** Folders that nobody watched may have changed before they were. */
  private void watch() {
    events.ifPresent(watched -> {
      HealthReport last = checker.last();
      List<String> names = new ArrayList<>(last.healthy());
      names.addAll(last.corrupt());
      names.addAll(last.empty());
      names.add(Names.QUARANTINE);
      names.removeIf(name -> !root.resolve(name).toFile().isDirectory());
      Set<String> added = watched.watch(names);
      if (!added.isEmpty()) {
        touch(added);
      }
    });
  }

  private void rest(Instant begun) {
    Instant now = clock.instant();
    Duration rest = Duration.between(begun, now).multipliedBy(REST);
    rested = now.plus(rest.compareTo(MAX_REST) < 0 ? rest : MAX_REST);
  }

  private boolean isTouched() {
    lock.lock();
    try {
      return !touched.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  private Set<String> take() {
    lock.lock();
    try {
      Set<String> taken = Set.copyOf(touched);
      touched.clear();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Returns whether to go on. */
  private boolean awaitWork() {
    lock.lock();
    try {
      boolean wasTouched = !touched.isEmpty();
      while (!isStopping) {
        long nanos = untilWork().toNanos();
        if (nanos <= 0) {
          break;
        }
        signal.awaitNanos(nanos);
        if (!wasTouched && !touched.isEmpty()) {
          wasTouched = true;
          signal.await(SWARM.toMillis(), TimeUnit.MILLISECONDS);
        }
      }
      return !isStopping;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  private Duration untilWork() {
    Instant next = nextFull;
    if (!touched.isEmpty() && rested.isBefore(next)) {
      next = rested;
    }
    Optional<Instant> due = mender.due();
    if (due.isPresent() && due.get().isBefore(next)) {
      next = due.get();
    }
    return Duration.between(clock.instant(), next);
  }

  @Override
  public void close() {
    events.ifPresent(FolderEvents::close);
    lock.lock();
    try {
      isStopping = true;
      signal.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
