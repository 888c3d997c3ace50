package dev.contextd.storage.outbox;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.JournalReplay;
import dev.contextd.storage.outbox.Outbox.Shipment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes to a remote that holds the documents alone: a journal of its own in {@code
 * .contextd/pending/journal}, of which the part that the remote has not got yet is in memory too.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>A write is told in the order of its sequence, when it is on disk, and again after a restart
 *       until it is noted durably as shipped.
 *   <li>A segment leaves the journal when all of it is shipped, to {@code
 *       .contextd/pending/shipped}, and that folder when it is older than it is to be kept; that it
 *       may be gone is noted first.
 *   <li>A write that was had and cannot be read any more is noted as a gap.
 * </ul>
 *
 * <p>One thread at a time ships: {@link #next}, {@link #acknowledge}, {@link #tend} and {@link
 * #visit}. The rest is for any thread.
 */
public final class PendingLog implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PendingLog.class);

  /** A segment is written to for so long, so that its time says when what is in it was written. */
  private static final Duration SEGMENT_TIME = Duration.ofHours(1);

  private static final Duration TENDING = Duration.ofMinutes(1);

  private final Disk disk;
  private final Path directory;
  private final Journal.Gate gate;
  private final Clock clock;
  private final Duration keep;
  private final KeptSegments kept;
  private final Journal journal;

  private final ReentrantLock noting = new ReentrantLock();

  /** Written under {@link #noting}. */
  private volatile PendingState state;

  private final PendingQueue queue;

  /** Whether a write is on disk that could not be queued, so that nothing is shipped any more. */
  private volatile boolean isTorn;

  private Instant nextTending = Instant.MIN;
  private Instant segmentSince;
  private volatile Runnable onMore = () -> {};

  /**
   * A write that is on disk.
   *
   * @param record what was done to the collection
   * @param since when it was written, about
   */
  public record Write(
      long sequence, String collection, JournalRecord record, int bytes, Instant since) {}

  /** Hears of what was shipped. */
  @FunctionalInterface
  public interface Visitor {
    void visit(String collection, JournalRecord record);
  }

  private PendingLog(
      Disk disk,
      StoreFolder folder,
      Journal.Gate gate,
      Clock clock,
      RandomGenerator random,
      Duration keep)
      throws IOException {
    this.disk = disk;
    this.directory = folder.pending();
    this.gate = gate;
    this.clock = clock;
    this.keep = keep;
    this.kept = new KeptSegments(disk, directory.resolve("shipped"), folder.trash());
    this.segmentSince = clock.instant();
    boolean isWritable = isWritable(gate);
    PendingOpening opening = PendingOpening.read(disk, folder, kept, clock.instant(), isWritable);
    JournalReplay replay = opening.replay();
    this.state = opening.state();
    this.queue = new PendingQueue(replay.nextSequence() - 1, opening.writes());
    this.journal =
        new Journal(
            disk,
            PendingOpening.journal(directory),
            replay.nextSequence(),
            replay.segments(),
            replay.toVoid(),
            gate,
            file -> folder.trash().move(file),
            outlet(),
            random);
    if (isWritable) {
      this.state.write(disk, directory);
      begin();
    }
  }

  /**
   * Begins a segment, and notes that it is there, so that an opening misses it where it is gone.
   */
  private void begin() throws IOException {
    String begun = journal.markAndBegin().begun();
    if (begun.equals(state.begun())) {
      return;
    }
    if (!begun.isEmpty()) {
      disk.sync(PendingOpening.journal(directory).resolve(begun));
    }
    change(old -> old.withBegun(begun)); // Where none could be begun, the one before may leave.
  }

  private static boolean isWritable(Journal.Gate gate) {
    try {
      gate.requireWritable();
      return true;
    } catch (IOException e) {
      log.warn("what waits for the remote can be read and not be sent: {}", e.getMessage());
      return false;
    }
  }

  /**
   * Opens the log of a store of which the lock is held.
   *
   * @param gate where it forbids writing, what waits is shown and nothing can be shipped
   * @param keep how long what is shipped is kept
   * @throws IOException where what is there cannot be read, or belongs to a later version
   */
  public static PendingLog open(
      Disk disk,
      StoreFolder folder,
      Journal.Gate gate,
      Clock clock,
      RandomGenerator random,
      Duration keep)
      throws IOException {
    return new PendingLog(disk, folder, gate, clock, random, keep);
  }

  private Journal.Outlet outlet() {
    return new Journal.Outlet() {
      @Override
      public void take(Path segment) throws IOException {
        String name = String.valueOf(segment.getFileName());
        change(old -> old.begun().equals(name) ? old.withBegun("") : old);
        kept.take(segment);
      }

      @Override
      public void complete(long through) {
        // How far it is shipped is noted before.
      }
    };
  }

  /**
   * How the writes stand that wait in a folder that is not open for them; nothing is touched.
   *
   * @throws IOException where that cannot be known
   */
  public static Outbox.Status look(Disk disk, StoreFolder folder, Instant now) throws IOException {
    return PendingOpening.look(disk, folder, now);
  }

  /**
   * Prepares a write; takes no lock.
   *
   * @param effect takes place after the write is among those that wait
   */
  public Journal.Ticket prepare(String collection, JournalRecord record, Effect effect) {
    TicketEffect wrapped = new TicketEffect(collection, record, effect);
    Journal.Ticket ticket =
        Journal.prepare(new JournalRecord.Addressed(collection, record), wrapped);
    wrapped.ticket = ticket;
    return ticket;
  }

  /** What becomes of a write; called in the order of the sequences. */
  public interface Effect {
    /** It is on disk, and waits. Must not throw. */
    void publish(Write write);

    /** Neither it nor anything that was queued behind it will ever be. */
    void discard();
  }

  private final class TicketEffect implements Journal.Effect {
    private final String collection;
    private final JournalRecord record;
    private final Effect effect;
    private Journal.@Nullable Ticket ticket;

    TicketEffect(String collection, JournalRecord record, Effect effect) {
      this.collection = collection;
      this.record = record;
      this.effect = effect;
    }

    @Override
    public void publish() {
      Journal.Ticket done = ticket;
      if (done == null) {
        throw new IllegalStateException("published before it was prepared");
      }
      Write write = new Write(done.sequence(), collection, record, done.bytes(), clock.instant());
      try {
        effect.publish(write);
        queue.add(write);
      } catch (RuntimeException | Error e) {
        isTorn = true; // It is on disk and waits for a restart; nothing behind it may be told.
        throw e;
      }
      onMore.run();
    }

    @Override
    public void discard() {
      effect.discard();
    }
  }

  /**
   * Numbers and queues a write; called under the lock that orders writes.
   *
   * @throws IOException where a write before it failed just now; nothing is queued then
   */
  public void enqueue(Journal.Ticket ticket) throws IOException {
    journal.enqueue(ticket);
  }

  /** Returns when a write is on disk, as {@link Journal#await}. */
  public void await(Journal.Ticket ticket) throws IOException {
    journal.await(ticket);
  }

  /** Called after each write; must return at once, and not throw. */
  public void onMore(Runnable wake) {
    onMore = wake;
  }

  /** All that waits, in order. */
  public List<Write> waiting() {
    return queue.until(Long.MAX_VALUE);
  }

  public Outbox.Status status() {
    PendingState now = state;
    return queue.status(
        now.shipped(),
        now.gaps().isEmpty() ? Optional.empty() : Optional.of(String.join("; ", now.gaps())));
  }

  /** The next thing to do, as {@link Outbox#next}. */
  public Optional<Shipment> next(int maxDocuments, long maxBytes) throws IOException {
    requireWhole();
    return queue.next(maxDocuments, maxBytes);
  }

  /**
   * The remote has everything up to a sequence: noted durably before anything is forgotten.
   *
   * @return the writes that wait no longer
   */
  public List<Write> acknowledge(long through) throws IOException {
    gate.requireWritable();
    requireWhole();
    List<Write> done = queue.until(through);
    change(old -> through > old.shipped() ? old.withShipped(through, done) : old);
    queue.remove(done);
    try {
      cut(done.stream().mapToLong(Write::bytes).sum());
    } catch (IOException e) {
      log.warn("what is shipped stays in the journal for now: {}", e.toString());
    }
    return done;
  }

  private void requireWhole() throws IOException {
    if (isTorn) {
      throw new IOException("a write is on disk that could not be shown; a restart shows it");
    }
  }

  private void cut(long bytes) throws IOException {
    journal.cut(new Journal.Mark(state.shipped(), bytes, ""));
  }

  /** Ends a segment whose time has come, and lets go of what was kept for long enough. */
  public void tend() throws IOException {
    Instant now = clock.instant();
    if (now.isBefore(nextTending)) {
      return;
    }
    gate.requireWritable();
    if (!segmentSince.plus(SEGMENT_TIME).isAfter(now)) {
      begin();
      segmentSince = now;
    }
    nextTending = now.plus(TENDING);
    try {
      cut(0);
      expire(now.minus(keep));
    } catch (IOException e) {
      log.warn("what is shipped is kept for now: {}", e.toString());
    }
  }

  private void expire(Instant before) throws IOException {
    Optional<Instant> expiring = kept.expiring(before);
    if (expiring.isPresent()) {
      Instant forgotten = expiring.get().truncatedTo(ChronoUnit.MILLIS).plusMillis(1);
      change(old -> old.since().isBefore(forgotten) ? old.withSince(forgotten) : old);
      kept.expire(before);
    }
  }

  /**
   * Visits what was shipped and is kept, the newest first.
   *
   * @return what cannot be read of it, a sentence each
   */
  public List<String> visit(Visitor visitor) throws IOException {
    PendingState now = state;
    return kept.visit(PendingOpening.journal(directory), now.shipped(), now.since(), visitor);
  }

  /** What was shipped before may not be kept. */
  public Instant since() {
    return state.since();
  }

  /** What was last known of a collection on the remote; empty where it was not there. */
  public Optional<KnownCollection> known(String collection) {
    return Optional.ofNullable(state.collections().get(collection));
  }

  /** Whether all collections of the remote were ever known. */
  public boolean knowsAll() {
    return state.isComplete();
  }

  /** The names of the collections that were last known to be there. */
  public Collection<String> knownNames() {
    return state.collections().keySet();
  }

  /** Notes what is known of a collection; null where it is not there. */
  public void note(String collection, @Nullable KnownCollection known) {
    noteQuietly(old -> old.withCollection(collection, known));
  }

  /** Notes all collections that there are. */
  public void noteAll(Map<String, KnownCollection> all) {
    noteQuietly(old -> old.withAll(all));
  }

  /** What is known can be asked again: that it could not be noted is no reason to fail. */
  private void noteQuietly(UnaryOperator<PendingState> change) {
    try {
      change(change);
    } catch (IOException e) {
      log.warn("what is known of the remote could not be noted: {}", e.toString());
    }
  }

  /** Somebody has compared: what was missing is there, or known to be missing. */
  public void clearGap() throws IOException {
    change(PendingState::withoutGaps);
  }

  private void change(UnaryOperator<PendingState> change) throws IOException {
    noting.lock();
    try {
      PendingState changed = change.apply(state);
      if (!changed.equals(state)) {
        gate.requireWritable();
        changed.write(disk, directory);
        state = changed;
      }
    } finally {
      noting.unlock();
    }
  }

  /** Refuses new writes, and writes those that are queued. */
  @Override
  public void close() throws IOException {
    journal.close();
  }
}
