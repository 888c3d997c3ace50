package dev.contextd.engine.search;

import dev.contextd.storage.checkpoint.PackUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.pcollections.TreePMap;

/**
 * The documents of a collection in memory: one writer at a time stages rows and deletions, which
 * are published in the order in which they were staged; any number of readers hold snapshots.
 *
 * <p>Invariants: {@link #head} is the state after everything staged, {@link #snapshot} the state
 * after everything published; {@link #snapshot} is replaced once a write, after all of it is in
 * place, so that no reader sees half of one; a row once published is never overwritten. Where most
 * rows are dead the living ones are copied into fresh chunks; readers of older snapshots keep the
 * old ones. {@link #head} is guarded by the lock of the collection.
 */
public final class RowTable {
  /** A table that never held a row. */
  public static final Snapshot EMPTY = Snapshot.EMPTY;

  private static final int FIRST_CAPACITY = 16;
  private static final int MAX_CHUNK_ROWS = 4_096;
  private static final int MIN_DEAD_TO_COMPACT = 1_024;

  /** A unit of a pack becomes a chunk as it is where it has so many rows, most of them alive. */
  private static final int MIN_UNIT_ROWS = 256;

  /** How far from 1 the length of a vector may be that counts as unit; chromem-go's figure. */
  private static final double UNIT_TOLERANCE = 1e-6;

  private volatile Snapshot snapshot = Snapshot.EMPTY;
  private Snapshot head = Snapshot.EMPTY;

  /**
   * A document to put.
   *
   * @param embedding as stored: {@code float[dimension]}
   */
  public record Put(String id, String content, Map<String, String> metadata, float[] embedding) {}

  /** What readers see. */
  public Snapshot snapshot() {
    return snapshot;
  }

  /** What readers will see when everything staged is published; for the writer alone. */
  public Snapshot head() {
    return head;
  }

  /** Fills an empty table; all vectors of one dimension, each id once. */
  public void load(int dimension, List<PackUnit> units, List<Put> puts) {
    List<RowChunk> full = new ArrayList<>();
    List<PackUnit> scattered = new ArrayList<>();
    int whole = 0;
    int count = puts.size();
    for (PackUnit unit : units) {
      int live = unit.count();
      if (live == 0 || unit.dimension() != dimension) {
        continue;
      }
      if (unit.rows() >= MIN_UNIT_ROWS && live * 2 >= unit.rows()) {
        full.add(new RowChunk(unit));
        whole += live;
      } else {
        scattered.add(unit);
        count += live;
      }
    }
    int fill = full.isEmpty() ? 0 : full.getLast().capacity();
    Writer writer =
        new Writer(new Snapshot(0, full, fill, RowsById.EMPTY, dimension), dimension, count);
    for (PackUnit unit : scattered) {
      for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
        writer.append(
            new Put(unit.id(row), unit.content(row), unit.metadata(row), unit.vector(row)));
      }
    }
    puts.forEach(writer::append);
    int all = whole + count;
    head = writer.publish(writer.all(all), all == 0 ? 0 : dimension);
    snapshot = head;
  }

  /** Makes the map of ids, which whoever first asks for it would else wait for. */
  public void prepare() {
    snapshot.byId().map();
  }

  /** A write in place that no reader sees yet. */
  public record Staged(Snapshot before, Snapshot after, List<Row> killed) {
    public Staged {
      killed = List.copyOf(killed);
    }
  }

  /** Puts rows in place without any reader seeing them. What can fail for want of memory does. */
  public Staged stage(int dimension, List<Put> puts) {
    compact();
    Snapshot before = head;
    Writer writer = new Writer(before.count() == 0 ? restart(before) : before, dimension, 0);
    TreePMap<String, Row> byId = before.byId().map();
    List<Row> replaced = new ArrayList<>();
    for (Put put : puts) {
      Row row = byId.get(put.id());
      if (row != null) {
        replaced.add(row);
      }
      byId = byId.plus(put.id(), writer.append(put));
    }
    return staged(before, writer.publish(new RowsById(byId), dimension), replaced);
  }

  /** Takes rows out without any reader noticing. */
  public Staged stageRemoval(List<String> ids) {
    compact();
    Snapshot before = head;
    Writer writer = new Writer(before, before.dimension(), 0);
    TreePMap<String, Row> byId = before.byId().map();
    List<Row> removed = new ArrayList<>();
    for (String id : ids) {
      Row row = byId.get(id);
      if (row != null) {
        removed.add(row);
        byId = byId.minus(id);
      }
    }
    int dimension = byId.isEmpty() ? 0 : before.dimension();
    return staged(before, writer.publish(new RowsById(byId), dimension), removed);
  }

  /** A row is dead for snapshots from this one on; those that are published come before it. */
  private Staged staged(Snapshot before, Snapshot after, List<Row> killed) {
    killed.forEach(row -> row.chunk().kill(row.slot(), after.sequence()));
    head = after;
    return new Staged(before, after, killed);
  }

  /** Takes back the last write that was staged. */
  public void unstage(Staged staged) {
    staged.killed().forEach(row -> row.chunk().revive(row.slot()));
    head = staged.before();
  }

  /** Takes back a write that will never be published, and with it all that came after. */
  public void discard(Staged staged) {
    staged.killed().forEach(row -> row.chunk().revive(row.slot()));
    head = snapshot;
  }

  /** Makes a staged write visible; all that were staged before it are. */
  public void publish(Staged staged) {
    snapshot = staged.after();
  }

  /** An emptied table may begin again with another dimension. */
  private static Snapshot restart(Snapshot before) {
    return new Snapshot(before.sequence(), List.of(), 0, before.byId(), 0);
  }

  /** Copies the living rows together where most are dead; only where nothing is staged. */
  private void compact() {
    Snapshot before = head;
    if (before.sequence() != snapshot.sequence()) {
      return;
    }
    long rows = 0;
    for (int c = 0; c < before.chunks().size(); c++) {
      rows += before.fill(c);
    }
    long dead = rows - before.count();
    if (dead < MIN_DEAD_TO_COMPACT || dead < before.count()) {
      return;
    }
    Writer writer = new Writer(restart(before), before.dimension(), before.count());
    Row[] moved =
        before.byId().map().values().stream()
            .map(row ->
                writer.append(new Put(row.id(), row.content(), row.metadata(), row.embedding())))
            .toArray(Row[]::new);
    RowsById byId = new RowsById(TreePMap.fromSortedMap(new SortedRows(moved)));
    head = writer.publish(byId, before.dimension());
    snapshot = head;
  }

  /** Appends to the chunks of a snapshot without any reader noticing, until it publishes. */
  private static final class Writer {
    private final List<RowChunk> chunks;
    private final int dimension;
    private final long sequence;
    private int expected;
    private int fill;

    Writer(Snapshot before, int dimension, int expected) {
      this.chunks = new ArrayList<>(before.chunks());
      this.dimension = dimension;
      this.sequence = before.sequence() + 1;
      this.expected = expected;
      this.fill = before.lastFill();
    }

    Row append(Put put) {
      if (chunks.isEmpty() || fill == chunks.getLast().capacity()) {
        chunks.add(new RowChunk(dimension, nextCapacity()));
        fill = 0;
      }
      expected--;
      float[] stored = put.embedding();
      double norm = Vectors.norm(stored);
      boolean isUnit = Math.abs(norm - 1) < UNIT_TOLERANCE;
      return chunks
          .getLast()
          .put(
              fill++,
              put.id(),
              put.content(),
              put.metadata(),
              isUnit ? stored : Vectors.scaled(stored, norm),
              isUnit ? null : stored);
    }

    /** All that is in the chunks. */
    RowsById all(int count) {
      return new RowsById(List.copyOf(chunks), count);
    }

    Snapshot publish(RowsById byId, int newDimension) {
      return new Snapshot(
          sequence, List.copyOf(chunks), chunks.isEmpty() ? 0 : fill, byId, newDimension);
    }

    private int nextCapacity() {
      int grown = chunks.isEmpty() ? FIRST_CAPACITY : chunks.getLast().capacity() * 2;
      return Math.min(MAX_CHUNK_ROWS, Math.max(grown, expected));
    }
  }
}
