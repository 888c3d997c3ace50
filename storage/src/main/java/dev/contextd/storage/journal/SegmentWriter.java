package dev.contextd.storage.journal;

import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segments of a journal: the one that is open, and those that wait for their cut.
 *
 * <p>Invariant: a segment that failed is never written to again, and the next one begins with what
 * voids its records. Not safe for threads.
 */
final class SegmentWriter {
  private static final Logger log = LoggerFactory.getLogger(SegmentWriter.class);

  /**
   * A group of at most this many bytes is written with one call, and has room: a larger one would
   * not be synced more quickly.
   */
  private static final int SMALL_BYTES = 64 << 10;

  private static final int LEAST_ROOM_BYTES = 16 << 10;
  private static final int MOST_ROOM_BYTES = 1 << 20;

  private final Disk disk;
  private final Path directory;
  private final RandomGenerator random;
  private Disk.@Nullable Appender segment;
  private boolean isEmpty;

  /** Whether there could be no room in the open segment. */
  private boolean hasNoRoom;

  private int salt;
  private final ByteBuffer small = ByteBuffer.allocate(SMALL_BYTES);
  private final List<Closed> segments = new ArrayList<>();
  private JournalRecord.@Nullable Voided toVoid;

  /** What stands in a segment of its own already. */
  private JournalRecord.@Nullable Voided witnessed;

  /**
   * A segment on disk.
   *
   * @param first no sequence before this one stands in it
   * @param last no sequence behind this one stands in it
   * @param isDamaged whether it holds what cannot be read
   * @param isEmpty whether nothing stands in it but its head
   */
  record Closed(Path file, long first, long last, boolean isDamaged, boolean isEmpty) {}

  /**
   * @param last the last sequence that may stand in any of those that are there
   * @param existing the segments that are there
   * @param toVoid what the first record voids; null where nothing is to be
   */
  SegmentWriter(
      Disk disk,
      Path directory,
      RandomGenerator random,
      long last,
      List<JournalReplay.SegmentFile> existing,
      JournalRecord.@Nullable Voided toVoid) {
    this.disk = disk;
    this.directory = directory;
    this.random = random;
    this.toVoid = toVoid;
    existing.forEach(found ->
        segments.add(
            new Closed(
                found.file(),
                found.isEmpty() ? last + 1 : 0,
                last,
                found.isDamaged(),
                found.isEmpty())));
  }

  /** The next segment voids these and all from the first that is to be voided already. */
  void voidAll(long from, long to) {
    toVoid = new JournalRecord.Voided(toVoid == null ? from : toVoid.from(), to);
  }

  /** Whether a void is still to be written. */
  boolean hasToVoid() {
    return toVoid != null;
  }

  /**
   * Ends the open segment, and what is to be voided is voided in segments that have ended too: what
   * leaves the folder must never be without.
   *
   * @param last the last sequence that may stand in them
   */
  void end(long last) throws IOException {
    close(last);
    if (toVoid != null) {
      open(last + 1, last);
      close(last);
    }
  }

  /** Whether a segment is open into which no record was put. */
  boolean isEmpty() {
    return isEmpty;
  }

  /** Opens a segment before there is anything to put into it but what is to be voided. */
  void openAhead(long last) throws IOException {
    boolean isVoiding = toVoid != null;
    open(last + 1, last);
    isEmpty = !isVoiding;
  }

  /** The name of the segment that was begun last. */
  String name() {
    return String.valueOf(segments.getLast().file().getFileName());
  }

  /** The segment to put records into; a fresh one voids first what never happened. */
  Disk.Appender open(long firstSequence, long synced) throws IOException {
    isEmpty = false;
    Disk.Appender open = segment;
    if (open != null) {
      return open;
    }
    disk.createRealDirectory(directory);
    JournalRecord.Voided voided = toVoid;
    if (voided == null) {
      return begin(firstSequence, null, synced);
    }
    if (!voided.equals(witnessed)) {
      // A segment of its own: no single file that is lost may bring a failed write back.
      begin(voided.from(), voided, synced);
      close(voided.to());
      witnessed = voided;
    }
    Disk.Appender fresh = begin(voided.from(), voided, synced);
    toVoid = null;
    return fresh;
  }

  /**
   * Appends the records of a group to the open segment, in their order. Where it fails, those that
   * may be in the file whole say so.
   *
   * @param bytes that they take
   */
  void append(Disk.Appender open, List<Journal.Ticket> group, long bytes, long synced)
      throws IOException {
    if (bytes > SMALL_BYTES) {
      for (Journal.Ticket ticket : group) {
        append(open, ticket.record, ticket.crc, ticket.sequence(), synced);
        ticket.isInFile = true;
      }
      return;
    }
    makeRoom(open, (int) bytes);
    small.clear();
    for (Journal.Ticket ticket : group) {
      small.put(Segment.recordHead(ticket.record, salt, ticket.crc, ticket.sequence(), synced));
      small.put(ticket.record.payload().duplicate());
      ticket.isInFile = ticket != group.getLast();
    }
    open.append(small.flip());
    group.getLast().isInFile = true;
  }

  private void append(
      Disk.Appender open, JournalRecord.Encoded record, int crc, long sequence, long synced)
      throws IOException {
    open.append(Segment.recordHead(record, salt, crc, sequence, synced));
    open.append(record.payload().duplicate());
  }

  /**
   * Sees that small records have room in the open segment: a file that grows takes two writes a
   * sync, the content and the size. A segment gets as much again as is in it already.
   */
  private void makeRoom(Disk.Appender open, int bytes) {
    if (open.reserved() >= bytes || hasNoRoom) {
      return;
    }
    int room = Math.clamp(open.size(), LEAST_ROOM_BYTES, MOST_ROOM_BYTES);
    try {
      open.reserve(bytes + room);
    } catch (IOException e) {
      hasNoRoom = true;
      log.debug("the journal is written without room in it: {}", e.toString());
    }
  }

  private Disk.Appender begin(long first, JournalRecord.@Nullable Voided voided, long synced)
      throws IOException {
    Path file = Segment.free(disk, directory, first); // A failed segment may have begun alike.
    Disk.Appender fresh = disk.appender(file);
    segment = fresh;
    hasNoRoom = false;
    salt = random.nextInt();
    segments.add(new Closed(file, first, Long.MAX_VALUE, false, false));
    try {
      fresh.append(Segment.head(first, salt));
      if (voided != null) {
        writeVoided(fresh, voided, synced);
      }
      return fresh;
    } catch (IOException | RuntimeException | Error e) {
      closeBroken(voided == null ? first - 1 : voided.to(), e);
      throw e;
    }
  }

  /** Twice in each of two files, because nothing else keeps a failed write from coming back. */
  private void writeVoided(Disk.Appender fresh, JournalRecord.Voided voided, long synced)
      throws IOException {
    JournalRecord.Encoded record = JournalRecord.encode(voided);
    for (int copy = 0; copy < 2; copy++) {
      append(fresh, record, Crc32c.of(record.payload()), voided.to(), synced);
    }
    fresh.sync();
  }

  /** A segment that did not begin well takes no record: none of it could be read back. */
  private void closeBroken(long last, Throwable cause) {
    try {
      close(last);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Ends the open segment, if there is one.
   *
   * @param last the last sequence that may stand in it
   */
  void close(long last) throws IOException {
    Disk.Appender open = segment;
    boolean wasEmpty = isEmpty;
    segment = null;
    isEmpty = false;
    if (open != null) {
      Closed begun = segments.getLast();
      segments.set(
          segments.size() - 1, new Closed(begun.file(), begun.first(), last, false, wasEmpty));
      open.close();
    }
  }

  /** The segments in which nothing stands that comes after a sequence. */
  List<Closed> covered(long sequence) {
    return segments.stream().filter(closed -> closed.last() <= sequence).toList();
  }

  /** A segment has left the folder. */
  void forget(Closed closed) {
    segments.remove(closed);
  }

  /** Up to this sequence, and no further than a given one, nothing stands in any segment. */
  long vacated(long most) {
    return segments.stream().mapToLong(closed -> closed.first() - 1).reduce(most, Math::min);
  }
}
