package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.KnownFolder.KnownFile;
import dev.contextd.storage.chromem.FileState;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The known files of a folder by {@link FileState#key}: a hash table with open addressing, because
 * boxed keys cost an opening more than the looking up.
 */
final class FileIndex {
  /** 2^64 divided by the golden ratio: Fibonacci hashing, Knuth, TAOCP volume 3, section 6.4. */
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private static final int MIN_BITS = 4;

  private final long[] keys;
  private final @Nullable KnownFile[] files;
  private final int shift;

  /**
   * @param capacity how many files will be put at most
   */
  FileIndex(int capacity) {
    // At most half full.
    int bits = Math.max(MIN_BITS, Integer.SIZE - Integer.numberOfLeadingZeros(capacity) + 1);
    this.keys = new long[1 << bits];
    this.files = new KnownFile[1 << bits];
    this.shift = Long.SIZE - bits;
  }

  /** Of two with one key the later one is found. */
  void put(KnownFile file) {
    int slot = slot(file.state().key());
    keys[slot] = file.state().key();
    files[slot] = file;
  }

  /** A number from 0 that stands for a file as long as nothing is put; -1 where it is unknown. */
  int number(long key) {
    int slot = slot(key);
    return files[slot] == null ? -1 : slot;
  }

  KnownFile file(int number) {
    return Objects.requireNonNull(files[number]);
  }

  /** Where the key is, or would be. */
  private int slot(long key) {
    int slot = (int) ((key * GOLDEN) >>> shift);
    while (files[slot] != null && keys[slot] != key) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }
}
