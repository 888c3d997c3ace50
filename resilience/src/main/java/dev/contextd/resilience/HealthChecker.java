package dev.contextd.resilience;

import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.OpenSummary.InPlace;
import dev.contextd.storage.checkpoint.Examination;
import dev.contextd.storage.folder.Quarantine;
import dev.contextd.storage.folder.QuarantineEntry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says how healthy an open store is, at the cost of one listing of its folders.
 *
 * <p>Invariants: one scan runs at a time, on a thread of its own, and whoever asks while it could
 * still answer shares it; a caller waits for a limited time; a scan that fails or does not come
 * back is an error, never health; each transition is told once, in the order of the scans.
 */
public final class HealthChecker {
  private static final Logger log = LoggerFactory.getLogger(HealthChecker.class);

  /** Whether the store was healthy at the last scan. */
  private enum State {
    UNKNOWN,
    HEALTHY,
    DEGRADED,
    ERROR
  }

  private final VectorStore store;
  private final Quarantine quarantine;
  private final OpenSummary opened;
  private final Clock clock;
  private final Duration maxAge;
  private final Duration patience;
  private final List<HealthListener> listeners = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition finished = lock.newCondition();

  /** Scans are numbered; these are the last that began, and the last that ended. */
  private long lastBegun;

  private long lastEnded;

  /** Folders that the next scan looks into; none where it looks into all. */
  private Optional<Set<String>> wanted = Optional.of(Set.of());

  private State state = State.UNKNOWN;
  private volatile HealthReport last = HealthReport.UNSEEN;
  private volatile Optional<String> brake;
  private volatile Consumer<Examination> finder = found -> {};

  HealthChecker(
      VectorStore store,
      Quarantine quarantine,
      OpenSummary opened,
      Clock clock,
      Duration maxAge,
      Duration patience) {
    this.store = store;
    this.quarantine = quarantine;
    this.opened = opened;
    this.clock = clock;
    this.maxAge = maxAge;
    this.patience = patience;
    this.brake = opened.brake();
  }

  /** Tells somebody of every scan from now on. */
  public void listen(HealthListener listener) {
    listeners.add(listener);
  }

  /** Gives what a scan found to whoever mends it, on the scan's thread. */
  void onFinding(Consumer<Examination> newFinder) {
    finder = newFinder;
  }

  /** Why nothing is moved or mended from now on. */
  void brake(Optional<String> reason) {
    brake = reason;
  }

  /** What is known, from a scan that is not older than the configured age. */
  public HealthReport latest() {
    HealthReport known = last;
    return isYoung(known) ? known : await(false, Optional.empty());
  }

  private boolean isYoung(HealthReport known) {
    return known.isSeen()
        && Duration.between(known.checkedAt(), clock.instant()).compareTo(maxAge) < 0;
  }

  /** What a scan says that begins after the call. */
  public HealthReport fresh() {
    return await(true, Optional.empty());
  }

  /** As {@link #fresh}, of these folders; what was said of the others stands. */
  public HealthReport fresh(Set<String> touched) {
    return await(true, Optional.of(touched));
  }

  /** When the last scrub of everything ended. */
  public Optional<Instant> lastScrub() {
    return store.scrubbed().completed();
  }

  /** What the last scan said, whatever its age. */
  public HealthReport last() {
    return last;
  }

  private HealthReport await(boolean mustBegin, Optional<Set<String>> touched) {
    lock.lock();
    try {
      HealthReport known = last;
      if (!mustBegin && isYoung(known)) {
        return known; // Somebody's scan ended while this caller waited for the lock.
      }
      boolean isRunning = lastEnded < lastBegun;
      long number = isRunning && !mustBegin ? lastBegun : lastBegun + 1;
      if (number > lastBegun) {
        want(touched);
      }
      long nanos = patience.toNanos();
      while (lastEnded < number && nanos > 0) {
        if (lastEnded == lastBegun) {
          begin();
        }
        nanos = finished.awaitNanos(nanos);
      }
      return lastEnded < number ? late() : last;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return last.failed("the check was interrupted", clock.instant(), Duration.ZERO);
    } finally {
      lock.unlock();
    }
  }

  private void want(Optional<Set<String>> touched) {
    if (wanted.isEmpty() || touched.isEmpty()) {
      wanted = Optional.empty();
      return;
    }
    Set<String> both = new HashSet<>(wanted.get());
    both.addAll(touched.get());
    wanted = Optional.of(both);
  }

  /** The scan in hand may hang for ever; its thread is left alone, and no second one begins. */
  private HealthReport late() {
    HealthReport report =
        last.failed(
            "the check of the folder has not come back within " + patience.toSeconds() + " s",
            clock.instant(),
            patience);
    if (state != State.ERROR) {
      settle(report);
    }
    return report;
  }

  private void begin() {
    lastBegun++;
    Optional<Set<String>> touched = wanted;
    wanted = Optional.of(Set.of());
    Thread.ofPlatform().daemon().name("health-check").start(() -> run(touched));
  }

  private void run(Optional<Set<String>> touched) {
    HealthReport report;
    try {
      report = scan(touched);
    } catch (IOException | RuntimeException | Error e) {
      log.debug("a health check failed", e);
      report = last.failed(reason(e), clock.instant(), Duration.ZERO);
    }
    lock.lock();
    try {
      settle(report);
    } finally {
      lastEnded = lastBegun;
      finished.signalAll();
      lock.unlock();
    }
  }

  private static String reason(Throwable e) {
    return e instanceof IOException && e.getMessage() != null ? e.getMessage() : e.toString();
  }

  private HealthReport scan(Optional<Set<String>> touched) throws IOException {
    Instant begin = clock.instant();
    Examination found = store.examine(touched);
    List<QuarantineEntry> entries = quarantine.list();
    HealthSurvey survey = survey(found, entries);
    store.quarantined(survey.elder());
    HealthReport report =
        new HealthReport(
            survey.healthy(),
            survey.corrupt(),
            survey.empty(),
            survey.details(),
            survey.damage(),
            survey.quarantined(),
            survey.unavailable(),
            brake,
            store.readOnlyReason(),
            Optional.empty(),
            begin,
            Duration.between(begin, clock.instant()));
    finder.accept(found);
    return report;
  }

  private HealthSurvey survey(Examination found, List<QuarantineEntry> entries) {
    List<InPlace> left = opened.inPlace();
    return new HealthSurvey(store, found.report(), entries, left);
  }

  /** Takes a report as the last word, and tells what has changed with it. */
  private void settle(HealthReport report) {
    List<String> newly = new ArrayList<>(report.corrupt());
    newly.removeAll(last.corrupt());
    last = report;
    State before = state;
    state =
        report.error().isPresent()
            ? State.ERROR
            : report.isDegraded() ? State.DEGRADED : State.HEALTHY;
    tell(listener -> listener.onCheck(report));
    if (!newly.isEmpty()) {
      tell(listener -> listener.onCorrupt(newly));
    }
    if (state == before || (before == State.UNKNOWN && state == State.HEALTHY)) {
      return;
    }
    switch (state) {
      case DEGRADED -> tell(listener -> listener.onDegraded(report));
      case HEALTHY -> tell(listener -> listener.onRecovered(report));
      case ERROR -> tell(listener -> listener.onError(report));
      case UNKNOWN -> throw new IllegalStateException("a scan always tells something");
    }
  }

  /** Tells all listeners. */
  void tell(Consumer<HealthListener> event) {
    for (HealthListener listener : listeners) {
      try {
        event.accept(listener);
      } catch (RuntimeException e) {
        log.warn("a listener to health failed", e);
      }
    }
  }
}
