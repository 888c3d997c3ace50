package dev.contextd.storage.journal;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a journal holds, as found on disk.
 *
 * <p>Whole records are replayed in order of their sequences. Where one is missing that was never
 * known to be synced, it and everything behind it was never acknowledged and is cut, whole records
 * included: unsynced pages reach the disk in any order. Where a record says that the missing one
 * had been synced, it is damage: what follows is replayed all the same, because each record is
 * absolute, and the loss is reported.
 *
 * @param entries what to apply, in order of sequences
 * @param nextSequence the first number that was never used
 * @param toVoid sequences that were cut and may stand in the files; null where there are none
 * @param losses what had been synced and cannot be read any more
 * @param tornBytes how many bytes hold no record that counts
 * @param foreign why nothing was replayed and nothing may be written: a later version's journal
 */
public record JournalReplay(
    List<Entry> entries,
    List<SegmentFile> segments,
    long nextSequence,
    JournalRecord.@Nullable Voided toVoid,
    List<Loss> losses,
    long tornBytes,
    Optional<String> foreign) {

  public JournalReplay {
    entries = List.copyOf(entries);
    segments = List.copyOf(segments);
    losses = List.copyOf(losses);
  }

  /** A record to apply. */
  public record Entry(long sequence, JournalRecord record, int bytes) {}

  /**
   * A segment's file.
   *
   * @param isDamaged whether anything in it could not be read
   * @param isEmpty whether nothing stands in it but its head
   */
  public record SegmentFile(Path file, boolean isDamaged, boolean isEmpty) {}

  /** Something that had been synced and cannot be read any more. */
  public record Loss(String file, String sentence) {}

  /**
   * Reads a journal of whose segments nothing is known.
   *
   * @param covered every sequence up to this one is in the store already
   * @param seen every sequence up to this one had been synced, or is void
   * @throws IOException where a segment cannot be opened, which says nothing about its content
   */
  public static JournalReplay read(Disk disk, Path directory, long covered, long seen)
      throws IOException {
    return read(disk, directory, covered, seen, "");
  }

  /**
   * Reads a journal.
   *
   * @param begun the name of a segment that is there, its head included; empty where none must be
   * @throws IOException where a segment cannot be opened, which says nothing about its content
   */
  public static JournalReplay read(Disk disk, Path directory, long covered, long seen, String begun)
      throws IOException {
    return new Reading(disk, covered, seen, begun).read(directory);
  }

  private static final class Reading {
    private final Disk disk;
    private final long covered;
    private final TreeMap<Long, Segment.Frame> frames = new TreeMap<>();
    private final VoidedRanges voided = new VoidedRanges();
    private final List<SegmentFile> segments = new ArrayList<>();
    private final List<Entry> entries = new ArrayList<>();
    private final List<Loss> losses = new ArrayList<>();
    private Optional<String> foreign = Optional.empty();
    private String where = "";

    /** Where the record behind a sequence would stand. */
    private final Map<Long, String> ends = new HashMap<>();

    /** Every sequence up to this one had been synced, or is void. */
    private long proven;

    private long highest;
    private long tornBytes;

    /** The segment that must be there, until it was found; empty where none must be. */
    private String missing;

    Reading(Disk disk, long covered, long seen, String begun) {
      this.missing = begun;
      this.disk = disk;
      this.covered = covered;
      this.highest = covered;
      this.proven = seen;
    }

    JournalReplay read(Path directory) throws IOException {
      if (disk.kind(directory) == Disk.Kind.DIRECTORY) {
        for (Disk.Entry entry : disk.list(directory)) {
          if (Segment.firstSequence(entry.name()).isPresent()) {
            readSegment(entry);
          }
        }
      }
      if (foreign.isPresent()) {
        return new JournalReplay(List.of(), segments, covered + 1, null, List.of(), 0, foreign);
      }
      if (!missing.isEmpty()) {
        losses.add(
            new Loss(missing, "the segment is gone, or its head; writes that it held are lost"));
      }
      long last = choose();
      // Torn bytes may hold records that nobody can see now: their numbers are not used again.
      long unseen = tornBytes == 0 ? 0 : 1 + tornBytes / Segment.RECORD_HEAD_BYTES;
      JournalRecord.Voided toVoid =
          highest > last || tornBytes > 0
              ? new JournalRecord.Voided(last + 1, highest + unseen)
              : null;
      long next = (toVoid == null ? last : toVoid.to()) + 1;
      return new JournalReplay(entries, segments, next, toVoid, losses, tornBytes, foreign);
    }

    private void readSegment(Disk.Entry entry) throws IOException {
      if (entry.kind() != Disk.Kind.FILE) {
        losses.add(new Loss(entry.name(), "it is no file"));
        return;
      }
      SegmentRecords records = SegmentRecords.read(disk, entry);
      if (records.otherVersion().isPresent()) {
        foreign =
            Optional.of(
                "the journal's segment %s has version %d, this program reads %d"
                    .formatted(entry.name(), records.otherVersion().getAsInt(), Segment.VERSION));
      }
      if (records.tornAt() > 0) {
        where = entry.name() + ", offset " + records.tornAt();
      }
      if (entry.name().equals(missing) && records.hasHead()) {
        missing = "";
      }
      if (!records.frames().isEmpty()) {
        ends.put(records.frames().getLast().sequence(), entry.name() + ", offset " + records.end());
      }
      tornBytes += records.tornBytes();
      records.frames().forEach(frame -> note(entry, frame));
      boolean isEmpty = records.frames().isEmpty() && !records.isDamaged();
      segments.add(new SegmentFile(entry.path(), records.isDamaged(), isEmpty));
    }

    private void note(Disk.Entry entry, Segment.Frame frame) {
      proven = Math.max(proven, frame.synced());
      highest = Math.max(highest, frame.sequence());
      if (frame.type() != JournalRecord.VOIDED) {
        frames.putIfAbsent(frame.sequence(), frame);
      } else if (decode(frame, entry.name()) instanceof JournalRecord.Voided range) {
        voided.add(range);
        highest = Math.max(highest, range.to());
      }
    }

    /** Fills {@link #entries}; returns the last sequence that counts. */
    private long choose() {
      long last = voided.skip(covered + 1) - 1;
      for (var frame : frames.tailMap(covered + 1).entrySet()) {
        long sequence = frame.getKey();
        if (voided.contains(sequence)) {
          continue;
        }
        if (sequence > last + 1 && !accountFor(last + 1, sequence - 1)) {
          tornBytes += frame.getValue().end() - frame.getValue().offset();
          return voided.skip(Math.max(last, Math.min(proven, sequence - 1)) + 1) - 1;
        }
        JournalRecord record = decode(frame.getValue(), "the journal");
        if (record != null) {
          entries.add(
              new Entry(sequence, record, frame.getValue().end() - frame.getValue().offset()));
        }
        last = voided.skip(sequence + 1) - 1;
      }
      if (last < proven) {
        accountFor(last + 1, proven);
        last = proven;
      }
      return last;
    }

    /**
     * Judges missing sequences.
     *
     * @return whether all of them had been synced, so that what follows them was acknowledged
     */
    private boolean accountFor(long from, long to) {
      long lost = Math.min(to, proven);
      if (from <= lost) {
        losses.add(
            new Loss(
                where.isEmpty() ? ends.getOrDefault(from - 1, "the journal") : where,
                "the writes %d to %d had been synced and cannot be read".formatted(from, lost)));
      }
      return to <= proven;
    }

    private @Nullable JournalRecord decode(Segment.Frame frame, String file) {
      try {
        return JournalRecord.decode(frame.type(), frame.incarnation(), frame.payload());
      } catch (FormatException e) {
        losses.add(
            new Loss(
                file, "the write %d cannot be read: %s".formatted(frame.sequence(), e.reason())));
        return null;
      }
    }
  }
}
