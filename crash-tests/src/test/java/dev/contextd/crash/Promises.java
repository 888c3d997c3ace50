package dev.contextd.crash;

import dev.contextd.storage.check.Damage;
import java.util.Locale;

/**
 * What a store promises across crashes, by what lies on its disk: the place to tighten when that
 * changes. {@code -Dcrash.storage=files} or {@code journal}.
 */
enum Promises {
  /**
   * A write is its files, synced before the answer. A kill between two renames leaves the half of a
   * batch that nobody acknowledged.
   */
  FILES,

  /** A write is one record of the journal; packs guard the files. */
  JOURNAL;

  static Promises current() {
    return valueOf(System.getProperty("crash.storage", "journal").toUpperCase(Locale.ROOT));
  }

  /** Whether the one write that a kill cut off is there whole or not at all. */
  boolean keepsCutWritesWhole() {
    return this == JOURNAL;
  }

  /**
   * Whether a kill may leave this behind: temp files hide nothing, and chromem-go passes them over.
   */
  boolean mayLeave(Damage damage) {
    return damage instanceof Damage.Leftover left && left.file().endsWith(".tmp");
  }
}
