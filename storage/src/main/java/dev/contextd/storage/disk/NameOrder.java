package dev.contextd.storage.disk;

import java.util.Arrays;

/**
 * Sorts the names of a folder as {@link String#compareTo} does: by numbers that are made of their
 * first characters, and by their characters only among those that begin alike. A folder holds one
 * file a document, named by its hash, and a young process compares numbers many times as fast.
 */
final class NameOrder {
  private static final int PREFIX_CHARACTERS = 4;

  /** The first character that does not fit into a byte of its own. */
  private static final int WIDE = 0xff;

  private static final long INDEX_MASK = 0xffff_ffffL;

  private NameOrder() {}

  static void sort(String[] names) {
    long[] keys = new long[names.length];
    for (int i = 0; i < names.length; i++) {
      keys[i] = prefix(names[i]) << Integer.SIZE | i;
    }
    Arrays.sort(keys);
    String[] unsorted = names.clone();
    int from = 0;
    for (int i = 0; i < keys.length; i++) {
      names[i] = unsorted[(int) (keys[i] & INDEX_MASK)];
      if (keys[i] >>> Integer.SIZE != keys[from] >>> Integer.SIZE) {
        sortAlike(names, from, i);
        from = i;
      }
    }
    sortAlike(names, from, keys.length);
  }

  private static void sortAlike(String[] names, int from, int to) {
    if (to - from > 1) {
      Arrays.sort(names, from, to);
    }
  }

  /** The first characters, a byte each, less the last bit; what follows a wide one counts as it. */
  private static long prefix(String name) {
    long prefix = 0;
    boolean isWide = false;
    for (int i = 0; i < PREFIX_CHARACTERS; i++) {
      char c = i < name.length() ? name.charAt(i) : 0;
      isWide |= c >= WIDE;
      prefix = prefix << Byte.SIZE | (isWide ? WIDE : c);
    }
    return prefix >>> 1; // So that a key is no negative number.
  }
}
