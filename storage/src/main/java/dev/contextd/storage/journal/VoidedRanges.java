package dev.contextd.storage.journal;

import java.util.ArrayList;
import java.util.List;

/** Sequences that never happened, whatever stands in a segment under them. Not safe for threads. */
public final class VoidedRanges {
  private final List<JournalRecord.Voided> ranges = new ArrayList<>();

  public void add(JournalRecord.Voided range) {
    ranges.add(range);
  }

  public boolean contains(long sequence) {
    return skip(sequence) != sequence;
  }

  /** The first sequence at or behind this one that is not void. */
  public long skip(long sequence) {
    long next = sequence;
    for (boolean moved = true; moved; ) {
      moved = false;
      for (JournalRecord.Voided range : ranges) {
        if (range.from() <= next && next <= range.to()) {
          next = range.to() + 1;
          moved = true;
        }
      }
    }
    return next;
  }
}
