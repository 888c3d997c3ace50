package dev.contextd.storage.checkpoint;

import dev.contextd.storage.binary.KeyedHash;

/**
 * The slots of a hash table with open addressing, at most half full: of numbers alone, because an
 * object for each entry costs an opening more than the looking up.
 */
final class HashSlots {
  /**
   * Multiply-shift hashing (Dietzfelbinger and others, 1997): under an odd number that is drawn at
   * random no two numbers meet with more than twice the chance of random ones. With one that
   * everybody knows somebody could choose names that all meet in one place.
   */
  private static final long MULTIPLIER = KeyedHash.secretOdd();

  private static final int MIN_BITS = 4;

  /** An array of three times as many numbers can still be made. */
  private static final int MAX_BITS = 29;

  private HashSlots() {}

  /** How many slots a table has for so many entries: a power of two. */
  static int forEntries(long entries) {
    int bits = Math.max(MIN_BITS, Long.SIZE - Long.numberOfLeadingZeros(entries) + 1);
    if (bits > MAX_BITS) {
      throw new IllegalStateException(
          "a collection of more than %d documents is not supported"
              .formatted((1L << (MAX_BITS - 1)) - 1));
    }
    return 1 << bits;
  }

  /** Where a number is, or would be, unless others are there: then behind them. */
  static int first(long number, int slots) {
    return (int) ((number * MULTIPLIER) >>> (Long.SIZE - Integer.numberOfTrailingZeros(slots)));
  }
}
