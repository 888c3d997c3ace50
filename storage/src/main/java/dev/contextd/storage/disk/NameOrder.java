package dev.contextd.storage.disk;

import dev.contextd.storage.chromem.Names;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Sorts the entries of a folder by name as {@link String#compareTo} does. A folder holds one file a
 * document, named by the 32 bits of its hash: those are sorted as numbers, four times by a byte of
 * them, which a young process does many times as fast as it compares names.
 */
final class NameOrder {
  private static final int BUCKETS = 1 << Byte.SIZE;
  private static final int LOW_BYTE = 0xff;
  private static final long INDEX_MASK = 0xffff_ffffL;
  private static final Comparator<Disk.Entry> BY_NAME = (a, b) -> a.name().compareTo(b.name());

  private NameOrder() {}

  static List<Disk.Entry> sorted(List<Disk.Entry> entries) {
    Disk.Entry[] unsorted = entries.toArray(Disk.Entry[]::new);
    Disk.Entry[] others = new Disk.Entry[unsorted.length];
    long[] keys = new long[unsorted.length];
    int hashed = 0;
    int rest = 0;
    for (int i = 0; i < unsorted.length; i++) {
      long hash = Names.leadingHash(unsorted[i].name()); // Digits come before letters.
      if (hash < 0) {
        others[rest++] = unsorted[i];
      } else {
        keys[hashed++] = hash << Integer.SIZE | i;
      }
    }
    keys = sorted(Arrays.copyOf(keys, hashed));
    Arrays.sort(others, 0, rest, BY_NAME);
    Disk.Entry[] byHash = new Disk.Entry[hashed];
    for (int i = 0; i < hashed; i++) {
      byHash[i] = unsorted[(int) (keys[i] & INDEX_MASK)];
    }
    sortAlike(byHash, keys);
    return List.of(merged(byHash, Arrays.copyOf(others, rest)));
  }

  /** By the upper half of each: a radix sort from its lowest byte on, which keeps equal ones. */
  private static long[] sorted(long[] keys) {
    long[] from = keys;
    long[] to = new long[keys.length];
    for (int shift = Integer.SIZE; shift < Long.SIZE; shift += Byte.SIZE) {
      int[] next = new int[BUCKETS + 1];
      for (long key : from) {
        next[((int) (key >>> shift) & LOW_BYTE) + 1]++;
      }
      for (int i = 1; i <= BUCKETS; i++) {
        next[i] += next[i - 1];
      }
      for (long key : from) {
        to[next[(int) (key >>> shift) & LOW_BYTE]++] = key;
      }
      long[] sorted = to;
      to = from;
      from = sorted;
    }
    return from;
  }

  /** Those of one hash by what follows it. */
  private static void sortAlike(Disk.Entry[] byHash, long[] keys) {
    int from = 0;
    for (int i = 1; i <= keys.length; i++) {
      if (i == keys.length || keys[i] >>> Integer.SIZE != keys[from] >>> Integer.SIZE) {
        if (i - from > 1) {
          Arrays.sort(byHash, from, i, BY_NAME);
        }
        from = i;
      }
    }
  }

  private static Disk.Entry[] merged(Disk.Entry[] a, Disk.Entry[] b) {
    if (b.length == 0) {
      return a;
    }
    Disk.Entry[] merged = new Disk.Entry[a.length + b.length];
    int i = 0;
    int j = 0;
    for (int k = 0; k < merged.length; k++) {
      boolean isFirst = j == b.length || (i < a.length && BY_NAME.compare(a[i], b[j]) <= 0);
      merged[k] = isFirst ? a[i++] : b[j++];
    }
    return merged;
  }
}
