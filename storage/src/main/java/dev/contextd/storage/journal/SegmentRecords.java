package dev.contextd.storage.journal;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The whole records of one segment's file, in the order of their bytes: nothing in it is trusted,
 * and behind bytes that are no record the next one is searched for.
 */
public final class SegmentRecords {
  /** A segment holds at most this many bytes: its usual size and one largest record. */
  private static final long MAX_SEGMENT_BYTES = 1L << 30;

  private final Segment.Head head;
  private final List<Segment.Frame> frames = new ArrayList<>();
  private long tornBytes;
  private int tornAt;

  private SegmentRecords(ByteBuffer bytes) {
    this.head = Segment.readHead(bytes);
    switch (head) {
      case Segment.Head.Known known -> readFrames(bytes, known.salt());
      case Segment.Head.OtherVersion _ -> {
        // Nothing of it may be judged.
      }
      case Segment.Head.Bad _ -> tornBytes = bytes.limit();
    }
  }

  /**
   * A record as it stands in the file.
   *
   * @param incarnation of its collection, 0 for none
   * @param bytes that it takes in the file
   */
  public record Entry(
      long sequence, long incarnation, int bytes, boolean isVoided, int type, ByteBuffer payload) {

    private static Entry of(Segment.Frame frame) {
      return new Entry(
          frame.sequence(),
          frame.incarnation(),
          frame.end() - frame.offset(),
          frame.type() == JournalRecord.VOIDED,
          frame.type(),
          frame.payload());
    }

    /** Whether it holds no documents and no ids, so that reading it costs nothing. */
    public boolean isSmall() {
      return type != JournalRecord.PUT && type != JournalRecord.REMOVED;
    }

    /**
     * The record itself.
     *
     * @throws FormatException where this version does not understand it
     */
    public JournalRecord decode() throws FormatException {
      return JournalRecord.decode(type, incarnation, payload);
    }
  }

  /**
   * Reads a segment, all of it into memory.
   *
   * @throws IOException where it cannot be opened, which says nothing about its content
   */
  public static SegmentRecords read(Disk disk, Disk.Entry file) throws IOException {
    try {
      return read(disk, file.path());
    } catch (EOFException e) {
      return read(disk, file.path()); // It was closed just now, and lost its room.
    }
  }

  private static SegmentRecords read(Disk disk, Path file) throws IOException {
    try (Disk.Reader reader = disk.reader(file)) {
      if (reader.size() > MAX_SEGMENT_BYTES) {
        throw new IOException(file + " is larger than any segment of a journal");
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) reader.size()).order(ByteOrder.LITTLE_ENDIAN);
      reader.read(bytes, 0);
      return new SegmentRecords(bytes.flip());
    }
  }

  /** Whether a segment may bear this name. */
  public static boolean isSegment(String name) {
    return Segment.firstSequence(name).isPresent();
  }

  /** A segment's name in another folder, or the next number that is free there. */
  public static Path freeName(Disk disk, Path directory, Path segment) throws IOException {
    String name = String.valueOf(segment.getFileName());
    long first =
        Segment.firstSequence(name)
            .orElseThrow(() -> new IllegalArgumentException(name + " is no segment's name"));
    return Segment.free(disk, directory, first);
  }

  /** Where the zeros begin that end a segment: what was to be written next has room there. */
  private static int room(ByteBuffer bytes) {
    int room = bytes.limit();
    while (room > 0 && bytes.get(room - 1) == 0) {
      room--;
    }
    return room;
  }

  private void readFrames(ByteBuffer bytes, int salt) {
    int room = room(bytes);
    int at = Segment.HEAD_BYTES;
    while (at < bytes.limit()) {
      Segment.Frame frame = Segment.frame(bytes, salt, at);
      if (frame == null && at >= room) {
        return;
      }
      if (frame == null) {
        int next = Math.min(Segment.resync(bytes, salt, at + 1), Math.max(room, at + 1));
        tornBytes += next - at;
        tornAt = at;
        at = next;
      } else {
        frames.add(frame);
        at = frame.end();
      }
    }
  }

  public List<Entry> entries() {
    return frames.stream().map(Entry::of).toList();
  }

  /** Whether it holds bytes that are no record. */
  public boolean isDamaged() {
    return tornBytes > 0;
  }

  /** The version of a segment that this program does not read; empty where it does. */
  public OptionalInt otherVersion() {
    return head instanceof Segment.Head.OtherVersion other
        ? OptionalInt.of(other.version())
        : OptionalInt.empty();
  }

  /** Whether its head says that it is a segment. */
  boolean hasHead() {
    return !(head instanceof Segment.Head.Bad);
  }

  List<Segment.Frame> frames() {
    return frames;
  }

  /** How many bytes are no record. */
  long tornBytes() {
    return tornBytes;
  }

  /** Where the last record ends, or the head where there is none. */
  int end() {
    return frames.isEmpty() ? Segment.HEAD_BYTES : frames.getLast().end();
  }

  /** Where the last of them begin; 0 where the head is among them, or there are none. */
  int tornAt() {
    return tornAt;
  }
}
