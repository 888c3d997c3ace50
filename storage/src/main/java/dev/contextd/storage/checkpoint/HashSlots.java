package dev.contextd.storage.checkpoint;

/**
 * The slots of a hash table with open addressing, at most half full: of numbers alone, because an
 * object for each entry costs an opening more than the looking up.
 */
final class HashSlots {
  /** 2^64 divided by the golden ratio: Fibonacci hashing, Knuth, TAOCP volume 3, section 6.4. */
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private static final int MIN_BITS = 4;

  /** An array of three times as many numbers can still be made. */
  private static final int MAX_BITS = 29;

  private HashSlots() {}

  /** How many slots a table has for so many entries: a power of two. */
  static int forEntries(long entries) {
    int bits = Math.max(MIN_BITS, Long.SIZE - Long.numberOfLeadingZeros(entries) + 1);
    if (bits > MAX_BITS) {
      throw new IllegalStateException(
          "packs of more than %d rows in one collection cannot be opened"
              .formatted((1L << (MAX_BITS - 1)) - 1));
    }
    return 1 << bits;
  }

  /** Where a number is, or would be, unless others are there: then behind them. */
  static int first(long number, int slots) {
    return (int) ((number * GOLDEN) >>> (Long.SIZE - Integer.numberOfTrailingZeros(slots)));
  }
}
