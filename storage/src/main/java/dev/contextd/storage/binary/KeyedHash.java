package dev.contextd.storage.binary;

import static dev.contextd.storage.binary.LittleEndian.u64;

import java.util.SplittableRandom;

/**
 * A hash for tables in memory, of bytes that come from outside: with a key that each process draws
 * for itself, so that nobody can choose bytes that meet in one place. For nothing that is stored.
 *
 * <p>Eight bytes at a time are folded in by the two halves of a product of 128 bits, as wyhash does
 * (Wang Yi, 2019). A checksum would not do: it is linear, and its collisions are those of every
 * key.
 */
public final class KeyedHash {
  private static final long SEED;
  private static final long MULTIPLIER;

  static {
    SplittableRandom random = new SplittableRandom();
    SEED = random.nextLong();
    MULTIPLIER = random.nextLong() | 1;
  }

  private KeyedHash() {}

  public static int of(byte[] bytes, int from, int length) {
    long hash = folded(SEED ^ length); // Else a byte could make up for a length.
    int at = from;
    int end = from + length;
    for (; end - at >= Long.BYTES; at += Long.BYTES) {
      hash = folded(hash ^ u64(bytes, at));
    }
    long rest = 0;
    for (; at < end; at++) {
      rest = rest << Byte.SIZE | (bytes[at] & 0xff);
    }
    hash = folded(folded(hash ^ rest) ^ SEED);
    return (int) (hash ^ hash >>> Integer.SIZE);
  }

  /** An odd number that nobody outside this process knows. */
  public static long secretOdd() {
    return MULTIPLIER;
  }

  private static long folded(long value) {
    return Math.unsignedMultiplyHigh(value, MULTIPLIER) ^ value * MULTIPLIER;
  }
}
