package dev.contextd.storage.journal;

import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal as it is written: records are numbered and queued, and one of those who wait writes
 * and syncs for all that are queued (group commit).
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>Records reach the file in the order of their sequences, and take effect in that order after
 *       the sync that covers them.
 *   <li>Where writing or syncing fails, every record that was queued is discarded, none of them
 *       takes effect, the segment is never written to again, and two fresh ones, of which the
 *       second goes on, begin with a record that voids them, before anything new is acknowledged.
 *   <li>{@link #commit} is only ever held by one thread that writes; whoever holds a collection's
 *       lock never waits for it. {@link #queue} is held for moments.
 * </ul>
 */
public final class Journal implements AutoCloseable {
  /** A segment is closed when it has grown beyond this many bytes. */
  private static final long SEGMENT_BYTES = 64L << 20;

  /** One sync covers at most about this many bytes. */
  private static final long GROUP_BYTES = 32L << 20;

  private static final int POLL_MILLISECONDS = 20;

  private static final String BROKEN =
      "a write failed and could not be taken back; nothing more is written until a restart, which"
          + " shows whether it took effect";
  private static final Logger log = LoggerFactory.getLogger(Journal.class);

  /** Made before it is needed: there may be no memory then. */
  private final IOException untold = new OutcomeUnknownException(BROKEN);

  private final Gate gate;
  private final Turns turns = new Turns();
  private final Gathering gathering = new Gathering();

  /** Fair: a checkpoint waits for one group at most, however many come behind it. */
  private final ReentrantLock commit = new ReentrantLock(true);

  /** Guarded by itself: what is queued, and the next sequence. */
  private final ReentrantLock queue = new ReentrantLock();

  private final Condition room = queue.newCondition();

  private final ArrayDeque<Ticket> queued = new ArrayDeque<>();
  private long nextSequence;
  private boolean failing;
  private volatile boolean isBroken;
  private boolean closed;

  /** Bytes of records that no checkpoint covers yet, those queued included. */
  private long pendingBytes;

  /** What the next record says of the ones before it. */
  private volatile long synced;

  // Guarded by commit: what has taken effect and is not cut yet, up to a record that could not be
  // shown. No checkpoint would hold such a record, so it and what follows stay until the next open.
  private long applied;
  private volatile boolean isUnshown;
  private long appliedBytes;
  private volatile Metrics metrics = new Metrics(0, 0, 0, 0);

  /** Guarded by commit. */
  private final SegmentWriter segments;

  private final Disk disk;
  private final Keeper keeper;
  private final @Nullable Outlet outlet;

  /** What a record does once it is on disk, or once it is known that it never will be. */
  public interface Effect {
    /** The record is on disk: it becomes visible. Must not throw. */
    void publish();

    /** The record will never be: what was prepared for it, and after it, is taken back. */
    void discard();
  }

  /** What a record does whose effect has taken place long since. */
  private static final Effect NOTHING =
      new Effect() {
        @Override
        public void publish() {
          // It is visible.
        }

        @Override
        public void discard() {
          // An elder one stands in the journal.
        }
      };

  /** Asked before every sync; throws where nothing may be written any more. */
  @FunctionalInterface
  public interface Gate {
    void requireWritable() throws IOException;
  }

  /**
   * A queued record.
   *
   * <p>{@link #done} is set after the effect took place.
   */
  public static final class Ticket {
    final JournalRecord.Encoded record;
    final int crc;
    private final Effect effect;
    private long sequence;

    /** Whether the whole record was handed to the file, durable or not. */
    boolean isInFile;

    private volatile boolean done;
    private volatile @Nullable IOException failure;

    private Ticket(JournalRecord.Encoded record, Effect effect) {
      this.record = record;
      this.crc = Crc32c.of(record.payload());
      this.effect = effect;
    }

    /** The number it was queued under; 0 before. */
    public long sequence() {
      return sequence;
    }

    /** The bytes it takes in the file. */
    public int bytes() {
      return Segment.RECORD_HEAD_BYTES + record.payload().remaining();
    }

    /** Whether it took effect, or never will. */
    public boolean isDone() {
      return done;
    }
  }

  /** How the journal fares: synced groups, records, bytes, and nanoseconds spent syncing. */
  public record Metrics(long syncs, long records, long bytes, long syncNanos) {}

  /** Takes a damaged segment out of the journal's folder, keeping every byte. */
  @FunctionalInterface
  public interface Keeper {
    void keep(Path file) throws IOException;
  }

  /**
   * Takes every segment that a checkpoint covers and in which anything stands, the damaged ones
   * among them, where somebody still wants that. Called by one thread at a time, which holds no
   * lock of the journal.
   */
  public interface Outlet {
    /**
     * Moves a segment out of the journal's folder, durably.
     *
     * @throws IOException where it is still there
     */
    void take(Path segment) throws IOException;

    /** All that was ever written up to this sequence was taken, and all that voids any of it. */
    void complete(long through);
  }

  /**
   * @param existing the segments that are there, and the last sequence that may stand in each
   * @param toVoid what the first record voids; null where nothing is to be
   * @param outlet gets the segments that a checkpoint covers; null where they are removed, and the
   *     damaged ones given to the keeper
   */
  public Journal(
      Disk disk,
      Path directory,
      long nextSequence,
      List<JournalReplay.SegmentFile> existing,
      JournalRecord.@Nullable Voided toVoid,
      Gate gate,
      Keeper keeper,
      @Nullable Outlet outlet,
      RandomGenerator random) {
    this.disk = disk;
    this.keeper = keeper;
    this.outlet = outlet;
    this.nextSequence = nextSequence;
    this.synced = nextSequence - 1;
    this.applied = nextSequence - 1;
    this.gate = gate;
    this.segments = new SegmentWriter(disk, directory, random, nextSequence - 1, existing, toVoid);
  }

  /** Prepares a record; takes no lock. */
  public static Ticket prepare(JournalRecord record, Effect effect) {
    return new Ticket(JournalRecord.encode(record), effect);
  }

  /**
   * Numbers and queues a record; called under the lock that orders the collection's writes.
   *
   * @throws IOException where a write before it failed just now; nothing is queued then
   */
  public void enqueue(Ticket ticket) throws IOException {
    queue.lock();
    try {
      if (closed) {
        throw new IOException("the journal is closed");
      }
      number(ticket);
    } finally {
      queue.unlock();
    }
  }

  private void number(Ticket ticket) throws IOException {
    queue.lock();
    try {
      if (ticket.record.payload().remaining() > JournalRecord.MAX_PAYLOAD_BYTES) {
        throw new IOException(
            "one write has at most %d bytes, this one %d; split it"
                .formatted(JournalRecord.MAX_PAYLOAD_BYTES, ticket.record.payload().remaining()));
      }
      if (failing) {
        throw new IOException(isBroken ? BROKEN : "a write before this one failed");
      }
      ticket.sequence = nextSequence++;
      pendingBytes += ticket.bytes();
      queued.add(ticket);
      gathering.arrived(queued.size());
    } finally {
      queue.unlock();
    }
  }

  /**
   * Writes records once more, durably and to no other effect, behind all that was written before;
   * where the journal is closed as well.
   */
  public void repeat(List<JournalRecord> records) throws IOException {
    List<Ticket> tickets = new ArrayList<>();
    for (JournalRecord record : records) {
      Ticket ticket = prepare(record, NOTHING);
      number(ticket);
      tickets.add(ticket);
    }
    for (Ticket ticket : tickets) {
      await(ticket);
    }
  }

  /**
   * Returns when the record is on disk and has taken effect.
   *
   * @throws OutcomeUnknownException where it shows nowhere, and an opening may find it
   * @throws IOException where it will never be
   */
  public void await(Ticket ticket) throws IOException {
    turns.await(ticket::isDone, this::commitGroup);
    IOException failure = ticket.failure;
    if (failure instanceof OutcomeUnknownException) {
      throw new OutcomeUnknownException(failure.getMessage(), failure);
    }
    if (failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
  }

  private void commitGroup() {
    gathering.await(this::queuedCount);
    commit.lock();
    try {
      commitQueued();
    } finally {
      commit.unlock();
    }
  }

  /** How many wait to be written. */
  private int queuedCount() {
    queue.lock();
    try {
      return queued.size();
    } finally {
      queue.unlock();
    }
  }

  private void commitQueued() {
    List<Ticket> group = takeGroup();
    if (group.isEmpty()) {
      return;
    }
    try {
      gate.requireWritable();
      write(group);
    } catch (IOException | RuntimeException | Error e) {
      // Nobody else would ever answer those who wait for this group.
      try {
        fail(group, e instanceof IOException io ? io : new IOException(e.toString(), e));
      } catch (RuntimeException | Error worse) {
        giveUp(group);
        log.error(BROKEN, worse);
      }
      return;
    }
    synced = group.getLast().sequence;
    for (Ticket ticket : group) {
      try {
        ticket.effect.publish();
      } catch (RuntimeException | Error e) {
        // It is on disk, and shows when the store is opened again; those behind it must not wait.
        ticket.failure =
            new OutcomeUnknownException(
                "the write is on disk and could not be shown, a restart shows it: " + e, e);
        isUnshown = true;
      }
      ticket.done = true;
      noteApplied(ticket.sequence, ticket.bytes());
    }
  }

  private void noteApplied(long sequence, long bytes) {
    if (!isUnshown) {
      applied = sequence;
      appliedBytes += bytes;
    }
  }

  private List<Ticket> takeGroup() {
    List<Ticket> group = new ArrayList<>();
    long bytes = 0;
    queue.lock();
    try {
      while (!queued.isEmpty() && (group.isEmpty() || bytes < GROUP_BYTES)) {
        Ticket ticket = queued.element();
        group.add(ticket); // Where memory runs out it is still queued.
        queued.remove();
        bytes += ticket.bytes();
      }
    } finally {
      queue.unlock();
    }
    return group;
  }

  private void write(List<Ticket> group) throws IOException {
    Disk.Appender to = segments.open(group.getFirst().sequence, synced);
    long bytes = group.stream().mapToLong(Ticket::bytes).sum();
    segments.append(to, group, bytes, synced);
    long begin = System.nanoTime();
    to.sync();
    long nanos = System.nanoTime() - begin;
    metrics =
        new Metrics(
            metrics.syncs + 1,
            metrics.records + group.size(),
            metrics.bytes + bytes,
            metrics.syncNanos + nanos);
    gathering.done(group.size(), queuedCount(), nanos);
    if (to.size() > SEGMENT_BYTES) {
      segments.close(group.getLast().sequence);
    }
  }

  /** Nothing of what was written or queued happened; the caller holds {@link #commit}. */
  private void fail(List<Ticket> group, IOException cause) {
    List<Ticket> failed = new ArrayList<>(group);
    long last;
    queue.lock();
    try {
      failing = true;
      failed.addAll(queued);
      queued.clear();
      last = nextSequence - 1;
    } finally {
      queue.unlock();
    }
    segments.voidAll(group.getFirst().sequence, last);
    try {
      segments.close(last);
      gate.requireWritable();
      segments.open(last + 1, synced);
    } catch (IOException | RuntimeException | Error e) {
      cause.addSuppressed(e); // It is voided before the next write.
    }
    long bytes = 0;
    for (Ticket ticket : failed.reversed()) {
      ticket.effect.discard();
      bytes += ticket.bytes();
    }
    synced = last;
    noteApplied(last, 0);
    queue.lock();
    try {
      failing = false;
      pendingBytes -= bytes;
      room.signalAll();
    } finally {
      queue.unlock();
    }
    boolean isVoid = !segments.hasToVoid();
    for (Ticket ticket : failed) {
      ticket.failure = isVoid || !ticket.isInFile ? cause : unknown(cause);
      ticket.done = true;
    }
  }

  /**
   * What failed could not be taken back, as where memory ran out: memory and disk may differ now,
   * so nothing more is written. Takes no memory itself.
   */
  private void giveUp(List<Ticket> group) {
    isBroken = true;
    queue.lock();
    try {
      failing = true;
      for (Ticket next = queued.poll(); next != null; next = queued.poll()) {
        giveUp(next);
      }
    } finally {
      queue.unlock();
    }
    for (int i = 0; i < group.size(); i++) {
      giveUp(group.get(i));
    }
  }

  private void giveUp(Ticket ticket) {
    if (!ticket.done) {
      ticket.failure = untold;
      ticket.done = true;
    }
  }

  private static IOException unknown(IOException cause) {
    return new OutcomeUnknownException(
        "whether it took effect is not known until the journal can be written again: "
            + cause.getMessage(),
        cause);
  }

  /**
   * What has taken effect up to now.
   *
   * @param sequence the last one that has, or is void
   * @param bytes of the records since the last cut
   * @param begun the segment that takes what comes next; empty where it is not begun
   */
  public record Mark(long sequence, long bytes, String begun) {}

  /** Ends the open segment and tells what has taken effect, so that a checkpoint can cover it. */
  public Mark mark() throws IOException {
    commit.lock();
    try {
      end();
      return new Mark(applied, appliedBytes, "");
    } finally {
      commit.unlock();
    }
  }

  /**
   * As {@link #mark}, and begins the next segment where it can be begun. Whoever makes its name
   * durable before it is written to can tell an opening that it must be there.
   */
  public Mark markAndBegin() throws IOException {
    commit.lock();
    try {
      if (!segments.isEmpty()) {
        end();
        try {
          segments.openAhead(synced);
        } catch (IOException e) {
          // A checkpoint needs none; the next write begins one that no manifest names.
          return new Mark(applied, appliedBytes, "");
        }
      }
      return new Mark(applied, appliedBytes, segments.name());
    } finally {
      commit.unlock();
    }
  }

  private void end() throws IOException {
    if (outlet == null) {
      segments.close(synced);
    } else {
      segments.end(synced);
    }
  }

  /** The last sequence that is synced; all that takes effect has one up to it. */
  public long synced() {
    commit.lock();
    try {
      return synced;
    } finally {
      commit.unlock();
    }
  }

  public Metrics metrics() {
    return metrics;
  }

  /** Bytes of records that no checkpoint covers yet. */
  public long pendingBytes() {
    queue.lock();
    try {
      return pendingBytes;
    } finally {
      queue.unlock();
    }
  }

  /** Bytes that were replayed at opening and wait for their checkpoint. */
  public void notePending(long bytes) {
    commit.lock();
    try {
      appliedBytes += bytes;
    } finally {
      commit.unlock();
    }
    queue.lock();
    try {
      pendingBytes += bytes;
    } finally {
      queue.unlock();
    }
  }

  /** Why nothing is written any more, until the store is opened again; empty where all is well. */
  public Optional<String> broken() {
    return isBroken
        ? Optional.of(
            "a write failed and could not be taken back, so whether it took effect is open")
        : Optional.empty();
  }

  /** Whether a write is on disk that memory does not show, so that no cut goes past it. */
  public boolean isUnshown() {
    return isUnshown;
  }

  /** Waits while more than {@code most} bytes wait for a checkpoint, or until {@code stop}. */
  public void awaitRoom(long most, BooleanSupplier stop) throws InterruptedException {
    queue.lock();
    try {
      while (pendingBytes > most && !stop.getAsBoolean()) {
        room.await(POLL_MILLISECONDS, TimeUnit.MILLISECONDS);
      }
    } finally {
      queue.unlock();
    }
  }

  /**
   * Removes the segments of which everything is covered by a durable checkpoint, or hands them to
   * the outlet; called by one thread at a time.
   *
   * @param covered what {@link #mark} told before the checkpoint
   */
  public void cut(Mark covered) throws IOException {
    for (SegmentWriter.Closed closed : covered(covered)) {
      if (disk.exists(closed.file())) {
        retire(closed); // Without the lock: nobody writes to it, and writers need not wait.
      }
      commit.lock();
      try {
        segments.forget(closed);
      } finally {
        commit.unlock();
      }
    }
    long vacated;
    commit.lock();
    try {
      appliedBytes -= covered.bytes();
      vacated = segments.vacated(covered.sequence());
    } finally {
      commit.unlock();
    }
    queue.lock();
    try {
      pendingBytes -= covered.bytes();
      room.signalAll();
    } finally {
      queue.unlock();
    }
    if (outlet != null) {
      outlet.complete(vacated);
    }
  }

  private List<SegmentWriter.Closed> covered(Mark mark) {
    commit.lock();
    try {
      return segments.covered(mark.sequence());
    } finally {
      commit.unlock();
    }
  }

  private void retire(SegmentWriter.Closed closed) throws IOException {
    if (closed.isEmpty()) {
      disk.remove(closed.file());
    } else if (outlet != null) {
      outlet.take(closed.file());
    } else if (closed.isDamaged()) {
      keeper.keep(closed.file());
    } else {
      disk.remove(closed.file());
    }
  }

  /** Refuses new records, and writes those that are queued. */
  @Override
  public void close() throws IOException {
    long last;
    queue.lock();
    try {
      closed = true;
      last = nextSequence - 1;
    } finally {
      queue.unlock();
    }
    turns.await(() -> synced >= last || isBroken, this::commitGroup);
    commit.lock();
    try {
      segments.close(synced);
    } finally {
      commit.unlock();
    }
  }
}
