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
  private final long most;
  private int count;

  /** Null while all rows are of distinct ids and nobody has asked for one. */
  private volatile @Nullable Ids ids;

  private volatile @Nullable Files files;

  private int dimension;

  /**
   * @param most how many rows will be added at most
   */
  PackedRows(long most) {
    this.most = most;
    this.ids = new Ids();
  }

  private PackedRows(long most, @Nullable Ids ids) {
    this.most = most;
    this.ids = ids;
  }

  /** Of rows of which no two are of one id: they are found by it when somebody first asks. */
  static PackedRows distinct(long most) {
    return new PackedRows(most, null);
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
    Ids found = ids;
    for (PackUnit unit : newer) {
      units.add(unit);
      dimension = unit.count() > 0 ? unit.dimension() : dimension;
      count += found == null ? unit.count() : found.add(unit, units.size() - 1);
    }
  }

  /** Finds all rows by their ids now, so that a later one supersedes an earlier one. */
  void requireIds() {
    if (ids == null) {
      Ids found = foundIds();
      count = found.used;
      ids = found;
    }
  }

  private Ids ids() {
    Ids found = ids;
    return found == null ? distinctIds() : found;
  }

  private synchronized Ids distinctIds() {
    Ids found = ids;
    if (found == null) {
      found = foundIds();
      if (found.used != count) {
        throw new IllegalStateException("two rows of packs without superseded rows are of one id");
      }
      ids = found;
    }
    return found;
  }

  private Ids foundIds() {
    Ids found = new Ids();
    for (int number = 0; number < units.size(); number++) {
      found.add(units.get(number), number);
    }
    return found;
  }

  /** The places of rows by the hash of the id, which stands beside each. */
  private final class Ids {
    private final long[] places = new long[HashSlots.forEntries(most)];
    private final int[] hashes = new int[places.length];
    private int used;

    /** Adds the rows of a unit, and tells how many of them are of ids that were not there. */
    int add(PackUnit unit, int number) {
      int before = used;
      for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
        add(unit, row, place(number, row));
      }
      return used - before;
    }

    private void add(PackUnit unit, int row, long place) {
      if (used * 2 >= places.length) {
        throw new IllegalStateException("more rows than were expected");
      }
      int hash = unit.bodies().idHash(row);
      int slot = HashSlots.first(hash, places.length);
      for (; places[slot] != FREE; slot = (slot + 1) & (places.length - 1)) {
        if (hashes[slot] == hash && places[slot] != REMOVED) {
          PackUnit before = unit(places[slot]);
          int beforeRow = row(places[slot]);
          if (unit.bodies().isSameId(row, before.bodies(), beforeRow)) {
            before.kill(beforeRow);
            places[slot] = place;
            return;
          }
        }
      }
      places[slot] = place;
      hashes[slot] = hash;
      used++;
    }

    /** The slot of an id; negative where no row has it. */
    int slot(String id) {
      int hash = PackBodies.idHash(id);
      for (int slot = HashSlots.first(hash, places.length);
          places[slot] != FREE;
          slot = (slot + 1) & (places.length - 1)) {
        long place = places[slot];
        if (hashes[slot] == hash && place != REMOVED && unit(place).id(row(place)).equals(id)) {
          return slot;
        }
      }
      return -1;
    }

    /** The place of an id; {@link #FREE} where no row has it. */
    long placeOf(String id) {
      int slot = slot(id);
      return slot < 0 ? FREE : places[slot];
    }
  }

  /** Takes a document out, and its row with it. */
  void remove(String id) {
    Ids found = ids();
    int slot = found.slot(id);
    if (slot >= 0) {
      kill(found.places[slot]);
      found.places[slot] = REMOVED;
      count--;
    }
  }

  /** A document's row is not served any more, and its copies are known all the same. */
  void kill(String id) {
    long place = ids().placeOf(id);
    if (place != FREE) {
      kill(place);
    }
  }

  private void kill(long place) {
    unit(place).kill(row(place));
  }

  /**
   * The files of the rows, when somebody asks for them after all rows were added.
   *
   * @param places by the numbers of files
   */
  private record Files(FileTable table, long[] places) {}

  private Files files() {
    Files found = files;
    return found == null ? foundFiles() : found;
  }

  private synchronized Files foundFiles() {
    Files found = files;
    if (found == null) {
      FileTable table = new FileTable(count);
      found = new Files(table, new long[table.slots()]);
      long[] places = found.places;
      forEachLive((bodies, row, place) -> places[putFile(table, bodies, row)] = place);
      files = found;
    }
    return found;
  }

  /** Takes rows. */
  private interface RowUse {
    void of(PackBodies bodies, int row, long place);
  }

  private void forEachLive(RowUse use) {
    for (int number = 0; number < units.size(); number++) {
      PackUnit unit = units.get(number);
      for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
        use.of(unit.bodies(), row, place(number, row));
      }
    }
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
    long place = ids().placeOf(id);
    return place == FREE ? null : copy(place);
  }

  private Copy copy(long place) {
    PackUnit unit = unit(place);
    int row = row(place);
    return new Copy(unit.bodies().file(row), unit.pack(), unit.firstRow() + row);
  }

  /** A document as its row has it; null where none is known. */
  @Nullable StoredDocument document(String id) {
    long place = ids().placeOf(id);
    return place == FREE ? null : unit(place).document(row(place));
  }

  /** Puts the files of all documents. */
  void putFiles(FileTable table) {
    if (ids == null) {
      forEachLive((bodies, row, _) -> putFile(table, bodies, row));
      return;
    }
    for (long place : ids().places) {
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
    for (long place : ids().places) {
      if (place > FREE) {
        copies.put(unit(place).id(row(place)), copy(place));
      }
    }
    return copies;
  }
}
