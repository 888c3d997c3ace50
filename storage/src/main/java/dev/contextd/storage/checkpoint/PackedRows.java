package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.KnownFolder.KnownFile;
import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.pack.PackBodies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The latest row of each document of a collection, by id and by file, while the store is being
 * opened: numbers alone. An opening asks for few documents, and a map with an object for each of
 * them costs it more than the reading.
 *
 * <p>Two hash tables with open addressing, at most half full. A place is the number of a unit in
 * the upper half and that of its row in the lower one, plus 1, so that 0 is a free slot.
 */
final class PackedRows {
  /** 2^64 divided by the golden ratio: Fibonacci hashing, Knuth, TAOCP volume 3, section 6.4. */
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private static final int MIN_BITS = 4;

  /** An array of {@link Disk#NUMBERS_OF_FILE} times as many can still be made. */
  private static final int MAX_BITS = 29;

  private static final long FREE = 0;

  /** The slot of a row that was removed: what is sought may stand behind it. */
  private static final long REMOVED = -1;

  private final List<PackUnit> units = new ArrayList<>();

  /** Places by the hash of the id, which stands beside each. */
  private long[] byId;

  private int[] hashes;
  private int used;
  private int count;

  /** Places by the key of the file, from {@link #index} on. */
  private long[] byFile = new long[1];

  /** The key, the size and the time of the file of each place of {@link #byFile}. */
  private long[] files = new long[Disk.NUMBERS_OF_FILE];

  private int dimension;

  /**
   * @param expected how many rows will be added, or about as many
   */
  PackedRows(long expected) {
    this.byId = new long[1 << bits(expected)];
    this.hashes = new int[byId.length];
  }

  private static int bits(long rows) {
    int bits = Math.max(MIN_BITS, Long.SIZE - Long.numberOfLeadingZeros(rows) + 1);
    if (bits > MAX_BITS) {
      throw new IllegalStateException(
          "packs of more than %d rows in one collection cannot be opened"
              .formatted((1L << (MAX_BITS - 1)) - 1));
    }
    return bits;
  }

  private static int shift(long[] table) {
    return Long.SIZE - Integer.numberOfTrailingZeros(table.length);
  }

  private static long place(int unit, int row) {
    return ((long) unit << Integer.SIZE | row) + 1;
  }

  private PackUnit unit(long place) {
    return units.get((int) ((place - 1) >>> Integer.SIZE));
  }

  private static int row(long place) {
    return (int) (place - 1);
  }

  List<PackUnit> units() {
    return units;
  }

  int count() {
    return count;
  }

  /** The dimension of the rows that were added last; 0 where none were. */
  int dimension() {
    return dimension;
  }

  /** Adds the rows of a pack that is newer than those before, whose rows it supersedes. */
  void add(List<PackUnit> newer) {
    for (PackUnit unit : newer) {
      units.add(unit);
      dimension = unit.count() > 0 ? unit.dimension() : dimension;
      for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
        add(unit, row, place(units.size() - 1, row));
      }
    }
  }

  private void add(PackUnit unit, int row, long place) {
    if (used * 2 >= byId.length) {
      grow();
    }
    int hash = unit.bodies().idHash(row);
    int slot = firstSlot(hash);
    for (; byId[slot] != FREE; slot = (slot + 1) & (byId.length - 1)) {
      if (hashes[slot] == hash && byId[slot] != REMOVED) {
        PackUnit before = unit(byId[slot]);
        int beforeRow = row(byId[slot]);
        if (unit.bodies().isSameId(row, before.bodies(), beforeRow)) {
          before.kill(beforeRow);
          byId[slot] = place;
          return;
        }
      }
    }
    byId[slot] = place;
    hashes[slot] = hash;
    used++;
    count++;
  }

  private int firstSlot(int hash) {
    return (int) ((hash * GOLDEN) >>> shift(byId));
  }

  private void grow() {
    long[] places = byId;
    int[] hashesBefore = hashes;
    byId = new long[1 << bits(places.length - 1)]; // Twice as many.
    hashes = new int[byId.length];
    used = 0;
    for (int i = 0; i < places.length; i++) {
      if (places[i] > FREE) {
        int slot = firstSlot(hashesBefore[i]);
        while (byId[slot] != FREE) {
          slot = (slot + 1) & (byId.length - 1);
        }
        byId[slot] = places[i];
        hashes[slot] = hashesBefore[i];
        used++;
      }
    }
  }

  /** The slot of an id; negative where no row has it. */
  private int slot(String id) {
    int hash = PackBodies.idHash(id);
    for (int slot = firstSlot(hash); byId[slot] != FREE; slot = (slot + 1) & (byId.length - 1)) {
      long place = byId[slot];
      if (hashes[slot] == hash && place != REMOVED && unit(place).id(row(place)).equals(id)) {
        return slot;
      }
    }
    return -1;
  }

  /** Takes a document out, and its row with it. */
  void remove(String id) {
    int slot = slot(id);
    if (slot >= 0) {
      unit(byId[slot]).kill(row(byId[slot]));
      byId[slot] = REMOVED;
      count--;
    }
  }

  /** A document's row is not served any more, and its copies are known all the same. */
  void kill(String id) {
    int slot = slot(id);
    if (slot >= 0) {
      unit(byId[slot]).kill(row(byId[slot]));
    }
  }

  /** Ends the adding: from here on files are found. */
  void index() {
    byFile = new long[1 << bits(count)];
    files = new long[byFile.length * Disk.NUMBERS_OF_FILE];
    for (int number = 0; number < units.size(); number++) {
      PackUnit unit = units.get(number);
      for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
        index(unit.bodies(), row, place(number, row));
      }
    }
  }

  /** A method of its own is compiled long before the loop around it ends. */
  private void index(PackBodies bodies, int row, long place) {
    int slot = fileSlot(bodies.fileKey(row));
    byFile[slot] = place;
    bodies.noteFile(row, files, slot * Disk.NUMBERS_OF_FILE);
  }

  /** Where the file of this key is, or would be. */
  private int fileSlot(long key) {
    int slot = (int) ((key * GOLDEN) >>> shift(byFile));
    while (byFile[slot] != FREE && files[slot * Disk.NUMBERS_OF_FILE] != key) {
      slot = (slot + 1) & (byFile.length - 1);
    }
    return slot;
  }

  /** As {@link Disk.Left#find}. */
  void find(long[] found, int count, int[] numbers) {
    for (int i = 0; i < count; i++) {
      numbers[i] = find(found, i * Disk.NUMBERS_OF_FILE);
    }
  }

  private int find(long[] found, int at) {
    int number = found[at] < 0 ? -1 : number(found[at]);
    return number >= 0 && isUnchanged(number, found[at + 1], found[at + 2]) ? number : -1;
  }

  /** Ends the finding of files, and frees what it needs. */
  void forgetFiles() {
    byFile = new long[1];
    files = new long[Disk.NUMBERS_OF_FILE];
  }

  /** A number from 0 that stands for a file; negative where it is unknown. */
  int number(long key) {
    if (byFile.length == 1) {
      return -1;
    }
    int slot = fileSlot(key);
    return byFile[slot] == FREE ? -1 : slot;
  }

  KnownFile file(int number) {
    long place = byFile[number];
    PackBodies bodies = unit(place).bodies();
    return new KnownFile(bodies.id(row(place)), bodies.file(row(place)));
  }

  boolean isUnchanged(int number, long size, long modifiedNanos) {
    int at = number * Disk.NUMBERS_OF_FILE;
    return files[at + 1] == size && files[at + 2] == modifiedNanos;
  }

  /** Where a document stands; null where none is known. */
  @Nullable Copy copy(String id) {
    int slot = slot(id);
    return slot < 0 ? null : copy(byId[slot]);
  }

  private Copy copy(long place) {
    PackUnit unit = unit(place);
    int row = row(place);
    return new Copy(unit.bodies().file(row), unit.pack(), unit.firstRow() + row);
  }

  /** A document as its row has it; null where none is known. */
  @Nullable StoredDocument document(String id) {
    int slot = slot(id);
    return slot < 0 ? null : unit(byId[slot]).document(row(byId[slot]));
  }

  void forEachFile(BiConsumer<String, FileState> action) {
    for (long place : byId) {
      if (place > FREE) {
        PackBodies bodies = unit(place).bodies();
        action.accept(bodies.id(row(place)), bodies.file(row(place)));
      }
    }
  }

  /** All documents, by id. */
  Map<String, Copy> copies() {
    Map<String, Copy> copies = HashMap.newHashMap(count);
    for (long place : byId) {
      if (place > FREE) {
        copies.put(unit(place).id(row(place)), copy(place));
      }
    }
    return copies;
  }

  /** All ids. */
  List<String> ids() {
    return Arrays.stream(byId)
        .filter(place -> place > FREE)
        .mapToObj(place -> unit(place).id(row(place)))
        .toList();
  }
}
