package dev.contextd.storage.outbox;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.Trash;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.SegmentRecords;
import dev.contextd.storage.journal.VoidedRanges;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The segments of which everything is shipped, {@code .contextd/pending/shipped}: they are kept for
 * a while, because a remote may lose what it acknowledged last. One thread at a time.
 */
final class KeptSegments {
  private final Disk disk;
  private final Path directory;
  private final Trash trash;

  KeptSegments(Disk disk, Path directory, Trash trash) {
    this.disk = disk;
    this.directory = directory;
    this.trash = trash;
  }

  /** Moves a segment here, durably. */
  void take(Path segment) throws IOException {
    disk.createRealDirectory(directory);
    disk.move(segment, SegmentRecords.freeName(disk, directory, segment));
  }

  /**
   * The segments in a folder.
   *
   * @throws IOException where there may be one that cannot be looked at
   */
  static List<Disk.Entry> segments(Disk disk, Path directory) throws IOException {
    List<Disk.Entry> segments = new ArrayList<>();
    if (disk.kind(directory) == Disk.Kind.DIRECTORY) {
      for (Disk.Entry file : disk.list(directory)) {
        if (SegmentRecords.isSegment(file.name())) {
          if (file.kind() == Disk.Kind.FILE) {
            segments.add(file);
          } else if (disk.kind(file.path()) == Disk.Kind.FILE) {
            throw new IOException(file.path() + " could not be looked at");
          }
        }
      }
    }
    return segments;
  }

  /** Whether a segment in a folder holds anything but its head. */
  static boolean hasRecords(Disk disk, Path directory) throws IOException {
    for (Disk.Entry file : segments(disk, directory)) {
      SegmentRecords records = SegmentRecords.read(disk, file);
      if (records.isDamaged() || !records.entries().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  static Instant modified(Disk.Entry file) {
    return Instant.EPOCH.plusNanos(file.modifiedNanos());
  }

  /** The highest sequence in any of them; 0 where there is none. */
  long last() throws IOException {
    long last = 0;
    for (Disk.Entry file : segments(disk, directory)) {
      last = Math.max(last, last(disk, file));
    }
    return last;
  }

  static long last(Disk disk, Disk.Entry file) throws IOException {
    return SegmentRecords.read(disk, file).entries().stream()
        .mapToLong(SegmentRecords.Entry::sequence)
        .max()
        .orElse(0);
  }

  /** When the latest of those was written to that are not kept any longer; empty for none. */
  Optional<Instant> expiring(Instant before) throws IOException {
    return expired(before).stream().map(KeptSegments::modified).max(Comparator.naturalOrder());
  }

  private List<Disk.Entry> expired(Instant before) throws IOException {
    return segments(disk, directory).stream()
        .filter(file -> modified(file).isBefore(before))
        .toList();
  }

  /**
   * Removes those that are not kept any longer; one in which something is no record is not lost.
   */
  void expire(Instant before) throws IOException {
    for (Disk.Entry file : expired(before)) {
      if (SegmentRecords.read(disk, file).isDamaged()) {
        trash.move(file.path());
      } else {
        disk.remove(file.path());
      }
    }
  }

  /**
   * Visits what is known to be shipped, the newest first, until something is missing: what is older
   * may not be the last word on anything.
   *
   * @param beside a folder with more segments
   * @param since what was written before need not be kept
   * @return what cannot be read, a sentence each
   */
  List<String> visit(Path beside, long shipped, Instant since, PendingLog.Visitor visitor)
      throws IOException {
    List<Disk.Entry> files = new ArrayList<>(segments(disk, directory));
    files.addAll(segments(disk, beside));
    VoidedRanges voided = new VoidedRanges();
    List<Scanned> scanned = new ArrayList<>();
    for (Disk.Entry file : files) {
      scanned.add(scan(file, voided));
    }
    scanned.sort(Comparator.comparingLong(Scanned::last).reversed());
    long next = shipped;
    for (Scanned one : scanned) {
      for (SegmentRecords.Entry entry :
          SegmentRecords.read(disk, one.file()).entries().reversed()) {
        if (entry.isVoided() || entry.sequence() > shipped || voided.contains(entry.sequence())) {
          continue;
        }
        while (next > entry.sequence() && voided.contains(next)) {
          next--;
        }
        if (next > entry.sequence()) {
          boolean isOwed = !modified(one.file()).isBefore(since);
          return !isOwed
              ? List.of()
              : List.of(
                  "the writes %d to %d are missing among what was sent: what is older is not compared"
                      .formatted(entry.sequence() + 1, next));
        }
        try {
          if (entry.decode() instanceof JournalRecord.Addressed write) {
            visitor.visit(write.collection(), write.write());
          }
        } catch (FormatException e) {
          return List.of(
              "the write %d in %s cannot be read, what is older is not compared: %s"
                  .formatted(entry.sequence(), one.file().name(), e.reason()));
        }
        next = entry.sequence() - 1;
      }
    }
    return List.of();
  }

  private record Scanned(Disk.Entry file, long last) {}

  private Scanned scan(Disk.Entry file, VoidedRanges voided) throws IOException {
    long last = 0;
    for (SegmentRecords.Entry entry : SegmentRecords.read(disk, file).entries()) {
      last = Math.max(last, entry.sequence());
      if (entry.isVoided()) {
        try {
          if (entry.decode() instanceof JournalRecord.Voided range) {
            voided.add(range);
          }
        } catch (FormatException e) {
          // Its twin, in another file, says the same.
        }
      }
    }
    return new Scanned(file, last);
  }
}
