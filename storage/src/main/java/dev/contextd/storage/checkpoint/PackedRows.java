package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.KnownFolder.KnownFile;
import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.pack.PackBodies;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The latest row of each document of a collection, by id and by file, while the store is being
 * opened: numbers alone. An opening asks for few documents, and a map with an object for each of
 * them costs it more than the reading.
 *
 * <p>A place is the number of a unit in the upper half and that of its row in the lower one, plus
 * 1, so that 0 is a free slot.
 */
final class PackedRows {
  private static final long FREE = 0;

  /** The slot of a row that was removed: what is sought may stand behind it. */
  private static final long REMOVED = -1;

  private final List<PackUnit> units = new ArrayList<>();

  /** Places by the hash of the id, which stands beside each. */
  private long[] byId;

  private int[] hashes;
  private int used;
  private int count;

  private volatile @Nullable Files files;

  private int dimension;

  /**
   * @param most how many rows will be added at most
   */
  PackedRows(long most) {
    this.byId = new long[HashSlots.forEntries(most)];
    this.hashes = new int[byId.length];
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
      throw new IllegalStateException("more rows than were expected");
    }
    int hash = unit.bodies().idHash(row);
    int slot = HashSlots.first(hash, byId.length);
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

  /** The slot of an id; negative where no row has it. */
  private int slot(String id) {
    int hash = PackBodies.idHash(id);
    for (int slot = HashSlots.first(hash, byId.length);
        byId[slot] != FREE;
        slot = (slot + 1) & (byId.length - 1)) {
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

  /**
   * The files of the rows, when somebody asks for them after all rows were added.
   *
   * @param places by the numbers of files
   */
  private record Files(FileTable table, long[] places) {}

  private Files files() {
    Files found = files;
    return found == null ? found() : found;
  }

  private synchronized Files found() {
    Files found = files;
    if (found == null) {
      FileTable table = new FileTable(count);
      found = new Files(table, new long[table.slots()]);
      for (int number = 0; number < units.size(); number++) {
        PackUnit unit = units.get(number);
        for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
          put(found, unit.bodies(), row, place(number, row));
        }
      }
      files = found;
    }
    return found;
  }

  /** A method of its own is compiled long before the loop around it ends. */
  private static void put(Files files, PackBodies bodies, int row, long place) {
    files.places[putFile(files.table, bodies, row)] = place;
  }

  FileTable table() {
    return files().table;
  }

  /** The file of a number in {@link #table}. */
  KnownFile file(int number) {
    long place = files().places[number];
    PackBodies bodies = unit(place).bodies();
    return new KnownFile(bodies.id(row(place)), bodies.file(row(place)));
  }

  /** Ends the finding of files, and frees what it needs. */
  void forgetFiles() {
    files = new Files(new FileTable(0), new long[0]);
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

  /** Puts the files of all documents. */
  void putFiles(FileTable table) {
    for (long place : byId) {
      if (place > FREE) {
        putFile(table, unit(place).bodies(), row(place));
      }
    }
  }

  private static int putFile(FileTable table, PackBodies bodies, int row) {
    return table.put(bodies.fileKey(row), bodies.fileSize(row), bodies.fileModifiedNanos(row));
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
}
