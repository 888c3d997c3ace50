package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LeftFolder;
import java.util.BitSet;

/** How the known files of a folder were left, by {@link FileState#key}. */
final class FileTable implements Disk.Left, LeftFolder.Files {
  private final int slots;

  /** The complement of the key, so that 0 is a free slot, the size and the time of each. */
  private final long[] files;

  private int count;

  /**
   * @param most how many files will be put at most
   */
  FileTable(int most) {
    this.slots = HashSlots.forEntries(most);
    this.files = new long[slots * NUMBERS];
  }

  @Override
  public int count() {
    return count;
  }

  /** Every number of a file is less. */
  int slots() {
    return slots;
  }

  /**
   * Puts a file; of two with one key the later one is found.
   *
   * @return its number from 0
   */
  int put(long key, long size, long modifiedNanos) {
    int slot = slot(key);
    int at = slot * NUMBERS;
    count += files[at] == 0 ? 1 : 0;
    files[at] = ~key;
    files[at + 1] = size;
    files[at + 2] = modifiedNanos;
    return slot;
  }

  /** As {@link #put(long, long, long)}. */
  int put(FileState file) {
    return put(file.key(), file.size(), file.modifiedNanos());
  }

  @Override
  public int number(long key) {
    int slot = slot(key);
    return files[slot * NUMBERS] == 0 ? -1 : slot;
  }

  @Override
  public long size(int number) {
    return files[number * NUMBERS + 1];
  }

  @Override
  public long modifiedNanos(int number) {
    return files[number * NUMBERS + 2];
  }

  /** The numbers of all files. */
  BitSet numbers() {
    BitSet numbers = new BitSet(slots);
    for (int slot = 0; slot < slots; slot++) {
      numbers.set(slot, files[slot * NUMBERS] != 0);
    }
    return numbers;
  }

  /** The key of a file. */
  long key(int number) {
    return ~files[number * NUMBERS];
  }

  /** Where the key is, or would be. */
  private int slot(long key) {
    int slot = HashSlots.first(key, slots);
    while (files[slot * NUMBERS] != 0 && files[slot * NUMBERS] != ~key) {
      slot = (slot + 1) & (slots - 1);
    }
    return slot;
  }

  boolean isUnchanged(int number, long size, long modifiedNanos) {
    int at = number * NUMBERS;
    return files[at + 1] == size && files[at + 2] == modifiedNanos;
  }

  @Override
  public void find(long[] asked, int count, int[] numbers) {
    for (int i = 0; i < count; i++) {
      numbers[i] = find(asked, i * NUMBERS);
    }
  }

  /** A method of its own is compiled long before the loop around it ends. */
  private int find(long[] asked, int at) {
    int number = asked[at] < 0 ? -1 : number(asked[at]);
    return number >= 0 && isUnchanged(number, asked[at + 1], asked[at + 2]) ? number : -1;
  }
}
