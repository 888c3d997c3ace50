package dev.contextd.resilience;

import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.FolderReport;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.Repair;
import dev.contextd.storage.checkpoint.Examination;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Quarantine;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings an open store and its folder together again: what is lost or damaged is written again from
 * memory, what another program wrote is served, what it deleted is kept in the trash.
 *
 * <p>Invariants: nothing is done about a folder whose differences have not stayed the same for
 * {@link #SETTLE}; damaged bytes lie in quarantine before anything is written in their place; what
 * was done about is not done again while it stays the same; where the brake holds, it holds until
 * the store is opened again.
 */
final class Mender {
  private static final Logger log = LoggerFactory.getLogger(Mender.class);

  /** So long a folder must look the same: another program may be at work in it. */
  static final Duration SETTLE = Duration.ofMillis(500);

  /** So long what has settled waits for what has not; then it is acted upon alone. */
  private static final Duration MAX_WAIT = Duration.ofSeconds(5);

  /** Things mended so recently still count as many at once. */
  private static final Duration RECENT = Duration.ofHours(1);

  private final VectorStore store;
  private final Quarantine quarantine;
  private final AuditLog audit;
  private final HealthChecker checker;
  private final Clock clock;

  /** Folders that differ, since when, and by what. */
  private final Map<String, Seen> seen = new HashMap<>();

  /** Folders about which nothing more is to be done, by the print of what they differ by. */
  private final Map<String, Long> done = new HashMap<>();

  private final Deque<Instant> recent = new ArrayDeque<>();
  private Optional<Examination> last = Optional.empty();
  private boolean isBraked;

  /** After a look that led to nothing the next one waits. */
  private Instant notBefore = Instant.MIN;

  private record Seen(long print, Instant since) {}

  /**
   * @param isBraked whether the opening found so much damage that nothing may be done
   */
  Mender(
      VectorStore store,
      Quarantine quarantine,
      AuditLog audit,
      HealthChecker checker,
      Clock clock,
      boolean isBraked) {
    this.store = store;
    this.quarantine = quarantine;
    this.audit = audit;
    this.checker = checker;
    this.clock = clock;
    this.isBraked = isBraked;
  }

  /** Takes in what a check found. */
  synchronized void note(Examination found) {
    Map<String, Long> prints = found.prints();
    seen.keySet().retainAll(prints.keySet());
    done.entrySet().removeIf(one -> !one.getValue().equals(prints.get(one.getKey())));
    prints.forEach((folder, print) -> {
      Seen before = seen.get(folder);
      boolean isSame = before != null && before.print() == print;
      if (done.containsKey(folder)) {
        seen.remove(folder);
      } else if (!isSame) {
        seen.put(folder, new Seen(print, clock.instant()));
      }
    });
    last = Optional.of(found);
  }

  /** When to look again at what differs; empty where nothing new does. */
  synchronized Optional<Instant> due() {
    return seen.values().stream()
        .map(one -> one.since().plus(SETTLE))
        .max(Instant::compareTo)
        .map(all -> earlier(all, overdue()))
        .map(due -> due.isBefore(notBefore) ? notBefore : due);
  }

  /** When what differs longest has waited long enough. */
  private Instant overdue() {
    return seen.values().stream()
        .map(one -> one.since().plus(MAX_WAIT))
        .min(Instant::compareTo)
        .orElse(Instant.MAX);
  }

  private static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  /**
   * Looks again at the folders that differ, and does what is to be done about those that stayed the
   * same.
   *
   * @return folders that are changed by it
   */
  Set<String> act() {
    Set<String> wanted;
    synchronized (this) {
      wanted = Set.copyOf(seen.keySet());
      notBefore = clock.instant().plus(SETTLE);
    }
    if (wanted.isEmpty()) {
      return Set.of();
    }
    store.forgetExamined(wanted);
    HealthReport report = checker.fresh(wanted);
    if (report.error().isPresent()) {
      return Set.of();
    }
    Examination found;
    Set<String> ready = new HashSet<>();
    synchronized (this) {
      Instant limit = clock.instant().minus(SETTLE);
      found = last.orElseThrow();
      seen.forEach((folder, one) -> {
        if (wanted.contains(folder) && !one.since().isAfter(limit)) {
          ready.add(folder);
        }
      });
      if (!ready.containsAll(seen.keySet()) && overdue().isAfter(clock.instant())) {
        return Set.of(); // While others still change, nobody knows how much it is.
      }
    }
    return !ready.isEmpty() && act(found, ready) ? ready : Set.of();
  }

  private boolean act(Examination found, Set<String> ready) {
    boolean hasChanged = adopt(found, ready);
    hasChanged |= mend(found, ready);
    synchronized (this) {
      for (String folder : ready) {
        Seen one = seen.remove(folder);
        if (one != null) {
          done.put(folder, one.print());
        }
      }
    }
    if (hasChanged) {
      checkpoint();
    }
    return hasChanged;
  }

  private boolean adopt(Examination found, Set<String> ready) {
    boolean hasChanged = false;
    for (IntactCollection foreign : found.foreign()) {
      String folder = String.valueOf(foreign.folder().getFileName());
      if (ready.contains(folder) && store.readOnlyReason().isEmpty()) {
        try {
          store.adopt(foreign);
          hasChanged = true;
          note("adopted", folder, "Another program wrote to it.", "");
          log.info(
              "adopted what another program wrote to {}: {} documents, {} gone",
              folder,
              foreign.documents().size(),
              foreign.differences().superseded().size());
        } catch (StoreException e) {
          log.warn("what another program wrote to {} is not served: {}", folder, e.getMessage());
        }
      }
    }
    return hasChanged;
  }

  private boolean mend(Examination found, Set<String> ready) {
    List<Damage> damage = new ArrayList<>();
    List<Damage.CollectionVanished> vanished = new ArrayList<>();
    for (Damage one : found.report().damage()) {
      if (!ready.contains(one.folder())) {
        continue;
      }
      if (one instanceof Damage.CollectionVanished gone) {
        vanished.add(gone);
      } else {
        damage.add(one);
      }
    }
    if (isBraked || brakes(found, damage, vanished)) {
      noteInPlace(found, ready, Set.of());
      return false;
    }
    for (Damage.CollectionVanished gone : vanished) {
      letGo(gone);
    }
    OpenQuarantine run =
        OpenQuarantine.run(store, quarantine, audit, damage, found.report().files(), checker::tell);
    if (run.brake().isPresent()) {
      brake(run.brake().get());
    }
    Instant now = clock.instant();
    synchronized (this) {
      run.mended().forEach(_ -> recent.add(now));
      run.moved().forEach(_ -> recent.add(now));
      vanished.forEach(_ -> recent.add(now));
    }
    Set<Damage> gone = new HashSet<>();
    run.mended().forEach(one -> gone.add(one.damage()));
    run.moved().forEach(one -> gone.add(one.damage()));
    noteInPlace(found, ready, gone);
    return !gone.isEmpty() || !vanished.isEmpty();
  }

  /** What cannot be served and lies in its place is told with every answer of its collection. */
  private void noteInPlace(Examination found, Set<String> ready, Set<Damage> gone) {
    for (FolderReport folder : found.report().folders()) {
      if (ready.contains(folder.folder())) {
        store.noteDamage(
            folder.folder(),
            folder.damage().stream()
                .filter(one -> !gone.contains(one) && !(one.repair() instanceof Repair.Rewrite))
                .toList());
      }
    }
  }

  private void note(String what, String folder, String why, String before) {
    audit.note(List.of(new AuditLog.Entry(what, folder, "", why).withSums(before, "")));
  }

  private void letGo(Damage.CollectionVanished gone) {
    try {
      String before = store.checksum(gone.name());
      store.vanished(gone);
      note("vanished", gone.folder(), gone.sentence(), before);
      log.warn("{}: {}", gone.folder(), gone.sentence());
    } catch (StoreException e) {
      log.error("could not keep {}: {}", gone.folder(), e.getMessage());
    }
  }

  /** Many things at once, or within the hour, have one cause that is not theirs. */
  private boolean brakes(
      Examination found, List<Damage> damage, List<Damage.CollectionVanished> vanished) {
    long planned =
        vanished.size()
            + damage.stream().filter(one -> !(one.repair() instanceof Repair.LeaveInPlace)).count();
    long before;
    synchronized (this) {
      Instant limit = clock.instant().minus(RECENT);
      while (!recent.isEmpty() && recent.getFirst().isBefore(limit)) {
        recent.removeFirst();
      }
      before = recent.size();
    }
    if (!QuarantineBrake.holds(before, planned, found.report().files())) {
      return false;
    }
    brake(
        "%d damaged or missing things appeared and %d were mended within the hour, more than the %d allowed: they have one cause that is not theirs, so nothing was moved or mended"
            .formatted(planned, before, QuarantineBrake.allowed(found.report().files())));
    return true;
  }

  private void brake(String reason) {
    isBraked = true;
    checker.brake(Optional.of(reason));
    log.error("brake: {}", reason);
    store.refuseWrites("much of its folder is missing or damaged at once: " + reason);
  }

  private void checkpoint() {
    try {
      store.checkpoint();
    } catch (StoreException e) {
      log.warn("what was mended is not durable yet: {}", e.getMessage());
    }
  }
}
