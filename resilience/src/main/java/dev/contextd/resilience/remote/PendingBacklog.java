package dev.contextd.resilience.remote;

import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.remote.Comparing.Repair;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.outbox.KnownCollection;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.Outbox.Shipment;
import dev.contextd.storage.outbox.PendingLog;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The writes to a remote store that holds the documents alone: on disk, and in memory until the
 * remote store has them.
 *
 * <p>Invariants: {@link #head} is what waits after everything queued, {@link #visible} after
 * everything that is on disk; both are guarded by {@link #staging}, the latter for writing alone.
 * Whoever holds {@link #staging} waits for neither disk nor network. What is known of the remote
 * store changes before what waited for it leaves either view. While {@link #gate} is held for
 * reading, nothing leaves.
 */
final class PendingBacklog implements Backlog {
  private final PendingLog log;
  private final VectorStore store;
  private final Conflicts conflicts;
  private final RemoteStore remote;
  private final GuardedRemote guard;
  private final Optional<String> note;
  private final ReentrantLock staging = new ReentrantLock();
  private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();
  private PendingView head = PendingView.EMPTY;
  private volatile PendingView visible = PendingView.EMPTY;

  /** The last write that was queued; guarded by {@link #staging}. */
  private Journal.@Nullable Ticket last;

  /**
   * @param store whose folder this is: it keeps what gives way on the remote store
   */
  PendingBacklog(
      PendingLog log,
      VectorStore store,
      RemoteStore remote,
      GuardedRemote guard,
      Optional<String> note) {
    this.log = log;
    this.store = store;
    this.conflicts = new Conflicts(store);
    this.remote = remote;
    this.guard = guard;
    this.note = note;
    for (PendingLog.Write write : log.waiting()) {
      head = head.with(write.sequence(), write.collection(), write.record());
    }
    visible = head;
  }

  /** A write that is ready to be queued. */
  record Prepared(String collection, JournalRecord record, Journal.Ticket ticket) {}

  /** Prepares a write; takes no lock. */
  Prepared prepare(String collection, JournalRecord record) {
    return new Prepared(collection, record, log.prepare(collection, record, new Showing()));
  }

  private final class Showing implements PendingLog.Effect {
    @Override
    public void publish(PendingLog.Write write) {
      staging.lock();
      try {
        visible = visible.with(write.sequence(), write.collection(), write.record());
      } finally {
        staging.unlock();
      }
    }

    @Override
    public void discard() {
      staging.lock();
      try {
        head = visible;
      } finally {
        staging.unlock();
      }
    }
  }

  /**
   * Writes, durably when it returns.
   *
   * @param decide from all that is queued, what is to be written behind it; called under a lock,
   *     and may refuse
   * @return whether anything was written
   */
  boolean write(String doing, Function<PendingView, List<Prepared>> decide) {
    Checks.writable(store.readOnlyReason());
    Journal.Ticket awaited = null;
    boolean isRefused = true;
    try {
      staging.lock();
      try {
        awaited = last; // What a write is refused for must be visible to whoever asks next.
        List<Prepared> decided = decide.apply(head);
        isRefused = decided.isEmpty();
        for (Prepared one : decided) {
          log.enqueue(one.ticket());
          head = head.with(one.ticket().sequence(), one.collection(), one.record());
          last = one.ticket();
          awaited = last;
        }
      } finally {
        staging.unlock();
      }
      if (!isRefused && awaited != null) {
        log.await(awaited);
      }
      return !isRefused;
    } catch (IOException e) {
      throw StoreException.ofDisk(doing, e);
    } finally {
      if (isRefused) {
        awaitQuietly(awaited);
      }
    }
  }

  private void awaitQuietly(Journal.@Nullable Ticket before) {
    try {
      if (before != null) {
        log.await(before);
      }
    } catch (IOException e) {
      // Its own caller is told.
    }
  }

  /** What waits, on disk all of it. */
  PendingView view() {
    return visible;
  }

  /**
   * Runs something while nothing that waits is let go, whatever the remote store gets meanwhile.
   */
  <T> T holding(Supplier<T> action) {
    gate.readLock().lock();
    try {
      return action.get();
    } finally {
      gate.readLock().unlock();
    }
  }

  /**
   * What is known of a collection from here alone, with what waits; empty where it is not there.
   */
  Optional<KnownCollection> known(PendingView view, String name) {
    Optional<PendingView.Part> part = view.part(name);
    Optional<KnownCollection> there = log.known(name);
    if (part.isEmpty()) {
      return there;
    }
    KnownCollection here = part.get().known();
    if (!part.get().exists()) {
      return Optional.empty();
    }
    if (part.get().isWhole()) {
      return Optional.of(here);
    }
    KnownCollection base = there.orElseGet(() -> KnownCollection.of(null));
    return Optional.of(
        new KnownCollection(
            base.metadata(),
            part.get().documents() > 0 ? here.dimension() : base.dimension(),
            here.model().or(base::model),
            base.owner()));
  }

  /**
   * As {@link #known}; asks the remote store where nothing is known here.
   *
   * @throws StoreException {@link ErrorCode#REMOTE_UNAVAILABLE} where nobody can tell
   */
  Optional<KnownCollection> find(String name, Shipping shipping) {
    PendingView view = visible;
    if (view.part(name).isEmpty() && log.known(name).isEmpty()) {
      try {
        holding(() -> ask(name, shipping));
      } catch (StoreException e) {
        if (!GuardedRemote.isItsFault(e) || !log.knowsAll()) {
          throw unknown(name, e);
        }
      }
    }
    return known(visible, name);
  }

  private static StoreException unknown(String name, StoreException e) {
    return GuardedRemote.isItsFault(e)
        ? new StoreException(
            e.code(),
            "whether there is a collection \"%s\" on the remote store is not known here, and it does not answer: %s"
                .formatted(name, e.getMessage()),
            e)
        : e;
  }

  private boolean ask(String name, Shipping shipping) {
    Optional<KnownCollection> found =
        guard
            .call(() -> remote.collection(name, Scope.ALL).map(VectorCollection::info))
            .map(info -> known(info, shipping));
    log.note(name, found.orElse(null));
    return found.isPresent();
  }

  private static KnownCollection known(CollectionInfo info, Shipping shipping) {
    return new KnownCollection(
        info.metadata(),
        info.dimension().orElse(0),
        info.model().map(CollectionInfo.Model::name),
        shipping.foreignOwner(info.name()));
  }

  /**
   * Whether a collection of which nothing waits is on the remote store; where it is not, somebody
   * deleted it there, and that is noted before anything else can arrive.
   */
  boolean isOnRemote(String name) {
    return holding(() -> {
      boolean isThere = guard.call(() -> remote.collection(name, Scope.ALL)).isPresent();
      if (!isThere && visible.part(name).isEmpty() && log.known(name).isPresent()) {
        log.note(name, null);
      }
      return isThere;
    });
  }

  @Override
  public Outbox.Status status() {
    return log.status();
  }

  @Override
  public long unsettledBytes() {
    return 0;
  }

  @Override
  public Conflicts conflicts() {
    return conflicts;
  }

  @Override
  public void onMore(Runnable wake) {
    log.onMore(wake);
  }

  @Override
  public void settle() {
    // What was acknowledged is on disk, and waits.
  }

  @Override
  public Optional<Shipment> next(int maxDocuments, long maxBytes) throws IOException {
    return log.next(maxDocuments, maxBytes);
  }

  @Override
  public void acknowledge(long through) throws IOException {
    gate.writeLock().lock();
    try {
      List<PendingLog.Write> shipped = log.acknowledge(through);
      staging.lock();
      try {
        head = head.without(shipped);
        visible = visible.without(shipped);
      } finally {
        staging.unlock();
      }
    } finally {
      gate.writeLock().unlock();
    }
  }

  @Override
  public List<String> collections() {
    return List.copyOf(log.knownNames());
  }

  @Override
  public void tend() throws IOException {
    log.tend();
  }

  @Override
  public void reached(Shipping shipping) {
    Map<String, KnownCollection> all = new HashMap<>();
    for (CollectionInfo info : guard.call(() -> remote.collections(Scope.ALL))) {
      all.put(info.name(), known(info, shipping));
    }
    log.noteAll(all);
  }

  /** What is lost here lies nowhere. */
  @Override
  public boolean fillsGaps() {
    return false;
  }

  /** They are found when the log is opened, and none afterwards. */
  @Override
  public long gaps() {
    return 0;
  }

  @Override
  public void clearGap(long compared) throws IOException {
    log.clearGap();
  }

  @Override
  public Comparison compare(Shipping shipping, Runnable settle, Repair repair) throws IOException {
    Findings findings = new Findings(shipping, conflicts, repair);
    return new KeptComparing(log, conflicts, remote, guard, shipping, findings).run();
  }

  @Override
  public Optional<String> note() {
    return note;
  }
}
