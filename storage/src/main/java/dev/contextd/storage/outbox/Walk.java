package dev.contextd.storage.outbox;

import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.SegmentRecords;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * One walk along the shelf, from behind what is shipped to the next shipment.
 *
 * <p>Invariant: what is missing or cannot be sent is passed over only while the parcel is empty, so
 * that a shipment never reaches across a gap.
 */
final class Walk {
  private final Shelf shelf;
  private final LongFunction<Optional<String>> names;
  private final long until;
  private final int maxDocuments;
  private final long maxBytes;
  private final Set<String> gaps = new LinkedHashSet<>();

  /** Everything up to this sequence is done with: shipped, void or lost. */
  private long done;

  /** The last sequence in the parcel, or {@link #done}. */
  private long reached;

  private @Nullable Parcel parcel;

  Walk(
      Shelf shelf,
      LongFunction<Optional<String>> names,
      long shipped,
      long until,
      int maxDocuments,
      long maxBytes) {
    this.shelf = shelf;
    this.names = names;
    this.done = shipped;
    this.reached = shipped;
    this.until = until;
    this.maxDocuments = maxDocuments;
    this.maxBytes = maxBytes;
  }

  Optional<Outbox.Shipment> run() throws IOException {
    if (fill()) {
      pass(until, missing(until + 1));
    }
    return Optional.ofNullable(parcel).map(Parcel::toShipment);
  }

  long done() {
    return done;
  }

  Set<String> gaps() {
    return gaps;
  }

  /** Returns whether the end was reached with an empty parcel. */
  private boolean fill() throws IOException {
    for (Shelf.Scanned segment : shelf.behind(done)) {
      for (SegmentRecords.Entry entry : shelf.entries(segment)) {
        long sequence = entry.sequence();
        boolean counts =
            !entry.isVoided() && sequence > reached && !shelf.voided().contains(sequence);
        if (counts && (sequence > until || !step(entry))) {
          return parcel == null;
        }
      }
    }
    return parcel == null;
  }

  /** Returns whether to go on. */
  private boolean step(SegmentRecords.Entry entry) {
    String missing = missing(entry.sequence());
    if (!missing.isEmpty() && !pass(entry.sequence() - 1, missing)) {
      return false;
    }
    Optional<String> name = names.apply(entry.incarnation());
    if (name.isEmpty()) {
      return pass(
          entry.sequence(),
          "writes to a collection of the number %d cannot be sent, because its name is not known"
              .formatted(entry.incarnation()));
    }
    JournalRecord record;
    try {
      record = entry.decode();
    } catch (FormatException e) {
      return pass(
          entry.sequence(),
          "the write %d to %s cannot be read: %s"
              .formatted(entry.sequence(), name.get(), e.reason()));
    }
    return put(name.get(), record, entry);
  }

  private boolean put(String name, JournalRecord record, SegmentRecords.Entry entry) {
    Parcel begun = parcel;
    if (begun == null) {
      begun = new Parcel(name, record, entry.sequence(), entry.bytes());
      parcel = begun;
    } else if (!begun.add(record, entry.sequence(), entry.bytes(), maxDocuments, maxBytes)) {
      return false;
    }
    reached = entry.sequence();
    return !begun.isSingle();
  }

  /** What lacks between what was reached and a sequence; empty where nothing does. */
  private String missing(long sequence) {
    long first = shelf.voided().skip(reached + 1);
    if (reached == OutboxState.UNKNOWN || first >= sequence) {
      return "";
    }
    String damaged = String.join(", ", shelf.damaged());
    return "the writes %d to %d are not in the outbox: %s"
        .formatted(
            first,
            sequence - 1,
            damaged.isEmpty()
                ? "it was off when they were made, or their file was damaged or removed"
                : "parts of " + damaged + " cannot be read");
  }

  /** Leaves out what comes up to a sequence; false where the parcel must go first. */
  private boolean pass(long through, String gap) {
    if (parcel != null) {
      return false;
    }
    if (!gap.isEmpty()) {
      gaps.add(gap);
    }
    done = Math.max(done, through);
    reached = done;
    return true;
  }
}
