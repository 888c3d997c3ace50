package dev.contextd.storage.outbox;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.Journal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was written here and a remote has not got yet: the journal's segments that a checkpoint
 * covers, in {@code .contextd/outbox}, and how far they were sent, see {@link OutboxState}.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>Writes are told in the order of their sequences; none that is void; none before a
 *       checkpoint covers it and everything that may void it lies here too.
 *   <li>A segment leaves only after it is noted durably that all of it is shipped.
 *   <li>What the remote will not get from here is noted as a gap, durably, before anything behind
 *       it is told.
 * </ul>
 *
 * <p>One thread ships: it calls {@link #next} and {@link #acknowledge} in turn. The rest is for any
 * thread. {@link #shipping} is held while files are read, {@link #noting} while the state is
 * written; whoever holds the latter waits for nothing else.
 */
public final class Outbox {
  /** The gap of a store that was filled before it had an outbox. */
  public static final String NEVER_SENT =
      "what was here before the remote store was configured was never sent to it";

  private static final Logger log = LoggerFactory.getLogger(Outbox.class);

  private final Disk disk;
  private final Path directory;
  private final Journal.Gate gate;
  private final LongFunction<Optional<String>> catalog;
  private final Shelf shelf;
  private final boolean isNew;
  private final ReentrantLock shipping = new ReentrantLock();
  private final ReentrantLock noting = new ReentrantLock();

  /** Written under {@link #noting}. */
  private volatile OutboxState state;

  /** Whether {@link #state} stands on disk; guarded by {@link #noting}. */
  private boolean isNoted;

  /** Rises with every gap that is noted, and when what one speaks of has become so. */
  private final AtomicLong gaps = new AtomicLong();

  /** How many gaps speak of what is not so yet; guarded by {@link #noting}. */
  private int changing;

  /** Every write up to this sequence may be told; nothing before the first cut. */
  private volatile long visible = OutboxState.UNKNOWN;

  /** Names out of the state as it was found: those in no catalog matter to what lies here alone. */
  private final Set<Long> inherited;

  /** Collections of which the deletion was shipped; guarded by {@link #shipping}. */
  private final Set<Long> dropped = new HashSet<>();

  private volatile Runnable onMore = () -> {};
  private volatile boolean isEnded;

  /** Something to do on the remote; absolute, so that doing it twice does no harm. */
  public sealed interface Shipment {
    String collection();

    /** The last sequence it covers, to be acknowledged when it is done. */
    long through();

    /** A collection is to be there; it may be already. */
    record Created(String collection, long through, Map<String, String> metadata)
        implements Shipment {}

    /**
     * The last word on documents of a collection.
     *
     * @param documents that are to be there as they are here
     * @param removed ids of documents that are not to be there; none that is among the documents
     * @param model that embedded any of the documents
     */
    record Changed(
        String collection,
        long through,
        List<StoredDocument> documents,
        List<String> removed,
        Optional<String> model)
        implements Shipment {}

    /** The collection is not to be there. */
    record Dropped(String collection, long through) implements Shipment {}
  }

  /**
   * How the outbox fares.
   *
   * @param shipped the remote has every write up to this sequence; 0 where none, or nobody knows
   * @param visible every write up to this sequence may be shipped
   * @param waitingBytes of the files in which anything is left to ship
   * @param oldest about when the oldest of that was written
   * @param gap what the remote will not get from here, so that the two must be compared
   */
  public record Status(
      long shipped,
      long visible,
      long waitingBytes,
      Optional<Instant> oldest,
      Optional<String> gap) {}

  /**
   * An outbox that was only looked at.
   *
   * @param status in which all is visible that the journal holds
   * @param isNew as {@link Outbox#isNew}
   */
  public record Look(Status status, boolean isNew) {}

  /**
   * What an opening knows of the store.
   *
   * @param covered every write up to this sequence was in a checkpoint
   * @param nextSequence the first number that was never used
   * @param isJournalEmpty whether there is no segment that a checkpoint may still bring here
   * @param isCatalogLost whether numbers may begin anew, those of writes and of collections
   * @param catalog names of collections by incarnation
   */
  public record Known(
      long covered,
      long nextSequence,
      boolean isJournalEmpty,
      boolean isCatalogLost,
      LongFunction<Optional<String>> catalog) {}

  private Outbox(Disk disk, StoreFolder folder, Journal.Gate gate, Known known) throws IOException {
    this.disk = disk;
    this.directory = folder.outbox();
    this.gate = gate;
    this.catalog = known.catalog();
    this.shelf = new Shelf(disk, directory, folder.trash());
    StateFile.Found<OutboxState> found = OutboxState.read(disk, directory);
    if (found instanceof StateFile.Found.Damaged<OutboxState> damaged) {
      Path kept = folder.trash().moveDurably(directory.resolve(OutboxState.FILE));
      found = new StateFile.Found.Damaged<>(damaged.reason() + "; it is kept as " + kept);
    }
    this.isNew = isNew(found, shelf);
    this.isNoted = found instanceof StateFile.Found.Intact;
    if (isNoted) {
      disk.syncNames(directory); // A process that was killed may have got no further than the name.
    }
    this.state = state(found, shelf, directory, known);
    boolean isUsed = !shelf.isEmpty() || state.shipped() != 0;
    if ((known.isCatalogLost() && isUsed) || state.shipped() >= known.nextSequence()) {
      beginAnew();
    }
    this.inherited = Set.copyOf(state.names().keySet());
    if (known.isJournalEmpty()) {
      visible = known.nextSequence() - 1;
    }
  }

  /**
   * Opens the outbox of a store of which the lock is held.
   *
   * @throws IOException where what is there cannot be read, or belongs to a later version
   */
  public static Outbox open(Disk disk, StoreFolder folder, Journal.Gate gate, Known known)
      throws IOException {
    return new Outbox(disk, folder, gate, known);
  }

  /**
   * What an opening would find, of a store that is only looked at; changes nothing.
   *
   * @throws IOException as {@link #open}
   */
  public static Look look(Disk disk, StoreFolder folder, Known known) throws IOException {
    Shelf shelf = new Shelf(disk, folder.outbox(), folder.trash());
    StateFile.Found<OutboxState> found = OutboxState.read(disk, folder.outbox());
    OutboxState state = state(found, shelf, folder.outbox(), known);
    return new Look(status(state, known.nextSequence() - 1, shelf), isNew(found, shelf));
  }

  private static boolean isNew(StateFile.Found<OutboxState> found, Shelf shelf) {
    return found instanceof StateFile.Found.Absent && shelf.isEmpty();
  }

  private static OutboxState state(
      StateFile.Found<OutboxState> found, Shelf shelf, Path directory, Known known)
      throws IOException {
    return switch (found) {
      case StateFile.Found.Intact<OutboxState> intact -> intact.state();
      case StateFile.Found.Absent<OutboxState> _ ->
          shelf.isEmpty()
              ? new OutboxState(known.covered(), List.of(), Map.of())
              : lost("it was gone");
      case StateFile.Found.Damaged<OutboxState> damaged -> lost(damaged.reason());
      case StateFile.Found.OtherVersion<OutboxState> other ->
          throw new IOException(
              "the outbox in %s has version %d, written by a later program; use that one"
                  .formatted(directory, other.version()));
    };
  }

  /**
   * Whether anything waits in a folder that is not open, or may come to: the outbox was in use, and
   * the journal holds what no checkpoint covers. Nothing is touched.
   */
  public static boolean isWaiting(Disk disk, StoreFolder folder) throws IOException {
    return KeptSegments.hasRecords(disk, folder.outbox())
        || (disk.exists(folder.outbox().resolve(OutboxState.FILE))
            && KeptSegments.hasRecords(disk, folder.journal()));
  }

  private static OutboxState lost(String reason) {
    return new OutboxState(
        OutboxState.UNKNOWN,
        List.of(
            "how far the outbox was sent is not known any more, and what waits is sent again: the"
                + " file that says so could not be read: "
                + reason),
        Map.of());
  }

  /** Numbers mean something else from here on, so what waits under the old ones cannot go out. */
  private void beginAnew() throws IOException {
    shelf.clear();
    OutboxState anew =
        new OutboxState(OutboxState.UNKNOWN, state.gaps(), Map.of())
            .withGaps(
                List.of(
                    "the store's catalog was lost and its numbers began anew: what waited is in the"
                        + " trash and was not sent"));
    anew.write(disk, directory);
    state = anew;
    isNoted = true;
  }

  /**
   * The next thing to do, in the order of the writes; the same again until it is acknowledged, or
   * more of it. Writes that follow one another in one collection are joined, of which each
   * document's last one stays; one write is never divided.
   *
   * @param maxDocuments at most so many documents or ids are joined
   * @param maxBytes at most so many bytes of the journal are joined
   * @return empty where nothing waits that a checkpoint covers
   */
  public Optional<Shipment> next(int maxDocuments, long maxBytes) throws IOException {
    shipping.lock();
    try {
      requireOpen();
      long until = visible;
      OutboxState now = state;
      if (now.shipped() >= until) {
        return Optional.empty();
      }
      shelf.look(until);
      Walk walk = new Walk(shelf, this::name, now.shipped(), until, maxDocuments, maxBytes);
      Optional<Shipment> next = walk.run();
      if (walk.done() > now.shipped()) {
        walk.gaps().forEach(gap -> log.warn("a remote will not get everything: {}", gap));
        change(old -> {
          gaps.addAndGet(walk.gaps().size());
          return old.withGaps(walk.gaps()).withShipped(walk.done());
        });
        retire();
      }
      return next;
    } finally {
      shipping.unlock();
    }
  }

  /**
   * The remote has everything up to this sequence: noted durably before segments that are done with
   * are removed. Doing it twice does no harm.
   */
  public void acknowledge(long through) throws IOException {
    shipping.lock();
    try {
      requireOpen();
      if (through > visible) {
        throw new IllegalArgumentException(
            "expected a sequence up to %d, the last that was told, found %d"
                .formatted(visible, through));
      }
      if (through > state.shipped()) {
        change(old -> old.withShipped(through));
      }
      retire();
    } finally {
      shipping.unlock();
    }
  }

  private void retire() throws IOException {
    dropped.addAll(shelf.retire(state.shipped(), incarnation -> name(incarnation).isPresent()));
    forget();
  }

  /** Names that nothing here will ask for are left out of the next state that is written. */
  private void forget() {
    Set<Long> over = new HashSet<>(dropped);
    for (long incarnation : inherited) {
      if (catalog.apply(incarnation).isEmpty()) {
        over.add(incarnation);
      }
    }
    if (over.isEmpty() || !shelf.isRead()) {
      return;
    }
    over.removeAll(shelf.incarnations());
    dropped.removeAll(over);
    shelf.forget(over);
    noting.lock();
    try {
      state = state.withoutNames(over);
    } finally {
      noting.unlock();
    }
  }

  public Status status() {
    return status(state, visible, shelf);
  }

  private static Status status(OutboxState now, long visible, Shelf shelf) {
    return new Status(
        Math.max(0, now.shipped()),
        Math.max(0, visible),
        shelf.bytes(),
        shelf.oldest(),
        now.gaps().isEmpty() ? Optional.empty() : Optional.of(String.join("; ", now.gaps())));
  }

  /** Something that no record tells, and that is about to become so. */
  @FunctionalInterface
  public interface Change extends AutoCloseable {
    /** It is so, or never will be. */
    @Override
    void close();
  }

  /**
   * Notes, durably, what the remote will not get from here, before it is so: whoever compares the
   * two stores meanwhile has not seen it.
   */
  public Change change(String why) throws IOException {
    requireOpen();
    noting.lock();
    try {
      change(old -> old.withGaps(List.of(why)));
      gaps.incrementAndGet();
      changing++;
    } finally {
      noting.unlock();
    }
    return this::changed;
  }

  private void changed() {
    noting.lock();
    try {
      gaps.incrementAndGet();
      changing--;
    } finally {
      noting.unlock();
    }
  }

  /** Whether nothing had ever been noted when it was opened: nothing was sent before. */
  public boolean isNew() {
    return isNew;
  }

  /**
   * Notes, durably, where it begins: before anything is written to the store that is to be sent, so
   * that a state that is absent later means that nothing ever was.
   *
   * @param isStoreFilled whether the store holds anything, none of which is here if this is new
   * @throws IOException where it could not be noted; it is with the first thing that is
   */
  public void begin(boolean isStoreFilled) throws IOException {
    noting.lock();
    try {
      if (isNew && isStoreFilled) {
        state = state.withGaps(List.of(NEVER_SENT));
      }
      noteBegin();
    } finally {
      noting.unlock();
    }
  }

  /** To be asked before the two stores are compared, for {@link #clearGap}. */
  public long gaps() {
    return gaps.get();
  }

  /**
   * Somebody has compared the two stores: what was missing is there. Does nothing where there is no
   * gap.
   *
   * @param compared what {@link #gaps} said before; where there is another gap since, or one that
   *     has only now become so, they stay
   */
  public void clearGap(long compared) throws IOException {
    if (state.gaps().isEmpty()) {
      return;
    }
    requireOpen();
    noting.lock();
    try {
      if (changing == 0 && gaps.get() == compared) {
        change(OutboxState::withoutGaps);
      }
    } finally {
      noting.unlock();
    }
  }

  /** Called after each checkpoint that brought something; must return at once, and not throw. */
  public void onMore(Runnable wake) {
    onMore = wake;
  }

  /**
   * Notes a collection's name, durably, before its deletion is written: nothing else may know it
   * when that is sent.
   */
  public void remember(long incarnation, String name) throws IOException {
    requireOpen();
    change(old -> old.withName(incarnation, name));
  }

  /** Nothing is read or written from here on; waits for what is under way. */
  public void end() {
    shipping.lock();
    try {
      noting.lock();
      try {
        isEnded = true;
      } finally {
        noting.unlock();
      }
    } finally {
      shipping.unlock();
    }
  }

  /** Where the journal's segments go. */
  public Journal.Outlet outlet() {
    return new Journal.Outlet() {
      @Override
      public void take(Path segment) throws IOException {
        noteBegin();
        shelf.take(segment);
      }

      @Override
      public void complete(long through) {
        if (through > visible) {
          visible = through;
          wake();
        }
      }
    };
  }

  /** What was shipped before the outbox began must be on disk before anything is in it. */
  private void noteBegin() throws IOException {
    noting.lock();
    try {
      if (!isNoted) {
        change(old -> old);
      }
    } finally {
      noting.unlock();
    }
  }

  private void wake() {
    try {
      onMore.run();
    } catch (RuntimeException e) {
      log.warn("who ships could not be woken, and looks by himself later: {}", e.toString(), e);
    }
  }

  private void requireOpen() throws IOException {
    if (isEnded) {
      throw new IOException("the store is closed");
    }
    gate.requireWritable();
  }

  private void change(UnaryOperator<OutboxState> change) throws IOException {
    noting.lock();
    try {
      OutboxState changed = change.apply(state);
      changed.write(disk, directory);
      state = changed;
      isNoted = true;
    } finally {
      noting.unlock();
    }
  }

  private Optional<String> name(long incarnation) {
    return Optional.ofNullable(state.names().get(incarnation))
        .or(() -> shelf.created(incarnation))
        .or(() -> catalog.apply(incarnation));
  }
}
