package dev.contextd.storage.outbox;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.JournalReplay;
import dev.contextd.storage.outbox.PendingLog.Write;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is found where pending writes lie.
 *
 * @param state how far they were sent, with what is lost as gaps
 * @param writes those that wait
 */
record PendingOpening(PendingState state, JournalReplay replay, List<Write> writes) {

  /**
   * Reads what is there; a state that cannot be read moves to the trash.
   *
   * @param isWritable whether it may
   */
  static PendingOpening read(
      Disk disk, StoreFolder folder, KeptSegments kept, Instant now, boolean isWritable)
      throws IOException {
    Path directory = folder.pending();
    PendingState state =
        switch (PendingState.read(disk, directory)) {
          case StateFile.Found.Intact<PendingState> intact -> intact.state();
          case StateFile.Found.Absent<PendingState> _ ->
              KeptSegments.segments(disk, journal(directory)).isEmpty() && kept.last() == 0
                  ? PendingState.begin(0, now, List.of())
                  : lost(kept, now, "it was gone");
          case StateFile.Found.Damaged<PendingState> damaged -> {
            Path file = directory.resolve(PendingState.FILE);
            Path where = isWritable ? folder.trash().moveDurably(file) : file;
            yield lost(kept, now, damaged.reason() + "; it is kept as " + where);
          }
          case StateFile.Found.OtherVersion<PendingState> other -> throw tooNew(other.version());
        };
    JournalReplay replay = replay(disk, directory, state.shipped(), state.begun());
    List<String> losses =
        replay.losses().stream().map(loss -> loss.file() + ": " + loss.sentence()).toList();
    Instant oldest = oldest(disk, directory, state.shipped(), now);
    return new PendingOpening(state.withGaps(losses), replay, writes(replay, oldest));
  }

  /** How the writes stand that wait; nothing is touched. */
  static Outbox.Status look(Disk disk, StoreFolder folder, Instant now) throws IOException {
    Path directory = folder.pending();
    long shipped =
        switch (PendingState.read(disk, directory)) {
          case StateFile.Found.Intact<PendingState> intact -> intact.state().shipped();
          case StateFile.Found.Absent<PendingState> _, StateFile.Found.Damaged<PendingState> _ -> 0;
          case StateFile.Found.OtherVersion<PendingState> other -> throw tooNew(other.version());
        };
    JournalReplay replay = replay(disk, directory, shipped, "");
    Instant oldest = oldest(disk, directory, shipped, now);
    return new PendingQueue(replay.nextSequence() - 1, writes(replay, oldest))
        .status(shipped, Optional.empty());
  }

  private static IOException tooNew(int version) {
    return new IOException(
        "the pending writes have version %d, written by a later program; use that one"
            .formatted(version));
  }

  static Path journal(Path directory) {
    return directory.resolve("journal");
  }

  private static JournalReplay replay(Disk disk, Path directory, long shipped, String begun)
      throws IOException {
    int segments = KeptSegments.segments(disk, journal(directory)).size();
    JournalReplay replay = JournalReplay.read(disk, journal(directory), shipped, shipped, begun);
    if (replay.foreign().isPresent()) {
      throw new IOException(replay.foreign().get());
    }
    if (replay.segments().size() != segments) {
      throw new IOException("not all of " + journal(directory) + " could be looked at");
    }
    return replay;
  }

  private static List<Write> writes(JournalReplay replay, Instant since) {
    List<Write> writes = new ArrayList<>();
    for (JournalReplay.Entry entry : replay.entries()) {
      if (entry.record() instanceof JournalRecord.Addressed write) {
        writes.add(
            new Write(entry.sequence(), write.collection(), write.write(), entry.bytes(), since));
      }
    }
    return writes;
  }

  /** Segments that are kept hold what is shipped; all that lies in the journal is sent again. */
  private static PendingState lost(KeptSegments kept, Instant now, String reason)
      throws IOException {
    return PendingState.begin(
        kept.last(),
        now,
        List.of(
            "how far the pending writes were sent is not known any more, and what is there is sent"
                + " again: the file that says so could not be read: "
                + reason));
  }

  /** A segment's time is that of its last write, and it is written to for an hour at most. */
  private static Instant oldest(Disk disk, Path directory, long shipped, Instant now)
      throws IOException {
    Instant oldest = now;
    for (Disk.Entry file : KeptSegments.segments(disk, journal(directory))) {
      Instant modified = KeptSegments.modified(file);
      if (modified.isBefore(oldest) && KeptSegments.last(disk, file) > shipped) {
        oldest = modified;
      }
    }
    return oldest;
  }
}
