package dev.contextd.engine.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.pcollections.TreePMap;

/**
 * The documents of a collection in memory: one writer appends and kills rows, any number of readers
 * hold snapshots.
 *
 * <p>Invariants: {@link #snapshot} is replaced once a batch, after all of it is in place, so that
 * no reader sees half a batch; a row once published is never overwritten. Where most rows are dead
 * the living ones are copied into fresh chunks; readers of older snapshots keep the old ones.
 */
public final class RowTable {
  /** A table that never held a row. */
  public static final Snapshot EMPTY = Snapshot.EMPTY;

  private static final int FIRST_CAPACITY = 16;
  private static final int MAX_CHUNK_ROWS = 4_096;
  private static final int MIN_DEAD_TO_COMPACT = 1_024;

  /** How far from 1 the length of a vector may be that counts as unit; chromem-go's figure. */
  private static final double UNIT_TOLERANCE = 1e-6;

  private volatile Snapshot snapshot = Snapshot.EMPTY;

  /**
   * A document to put.
   *
   * @param file empty where the document's file is the one its hash names
   * @param embedding as stored: {@code float[dimension]}
   */
  public record Put(
      String id, String content, Map<String, String> metadata, String file, float[] embedding) {}

  public Snapshot snapshot() {
    return snapshot;
  }

  /** Fills an empty table; all embeddings of one dimension, each id once. */
  public void load(int dimension, List<Put> puts) {
    Writer writer = new Writer(Snapshot.EMPTY, dimension, puts.size());
    SortedMap<String, Row> rows = new TreeMap<>(IdOrder.COMPARATOR);
    puts.forEach(put -> rows.put(put.id(), writer.append(put)));
    snapshot = writer.publish(TreePMap.fromSortedMap(rows), dimension);
  }

  /**
   * Puts rows in place without any reader seeing them; the caller is the only writer. What can fail
   * for want of memory fails here. Rows that are not published are overwritten by the next ones.
   */
  public Staged stage(int dimension, List<Put> puts) {
    Snapshot before = snapshot;
    Writer writer = new Writer(before.count() == 0 ? restart(before) : before, dimension, 0);
    TreePMap<String, Row> byId = before.byId();
    List<Row> replaced = new ArrayList<>();
    for (Put put : puts) {
      Row row = byId.get(put.id());
      if (row != null) {
        replaced.add(row);
      }
      byId = byId.plus(put.id(), writer.append(put));
    }
    return new Staged(writer.publish(byId, dimension), replaced);
  }

  /** Rows in place that no reader sees yet. */
  public record Staged(Snapshot after, List<Row> replaced) {
    public Staged {
      replaced = List.copyOf(replaced);
    }
  }

  /** Makes staged rows visible, all at once; nothing else was written in between. */
  public void publish(Staged staged) {
    staged.replaced().forEach(row -> row.chunk().kill(row.slot(), staged.after().sequence()));
    snapshot = staged.after();
    compact();
  }

  /** Removes rows; the caller is the only writer. */
  public void remove(List<String> ids) {
    Snapshot before = snapshot;
    Writer writer = new Writer(before, before.dimension(), 0);
    TreePMap<String, Row> byId = before.byId();
    for (String id : ids) {
      Row row = byId.get(id);
      if (row != null) {
        row.chunk().kill(row.slot(), before.sequence() + 1);
      }
      byId = byId.minus(id);
    }
    snapshot = writer.publish(byId, byId.isEmpty() ? 0 : before.dimension());
    compact();
  }

  /** An emptied table may begin again with another dimension. */
  private static Snapshot restart(Snapshot before) {
    return new Snapshot(before.sequence(), List.of(), 0, before.byId(), 0);
  }

  private void compact() {
    Snapshot before = snapshot;
    long rows = 0;
    for (int c = 0; c < before.chunks().size(); c++) {
      rows += before.fill(c);
    }
    long dead = rows - before.count();
    if (dead < MIN_DEAD_TO_COMPACT || dead < before.count()) {
      return;
    }
    Writer writer = new Writer(restart(before), before.dimension(), before.count());
    SortedMap<String, Row> moved = new TreeMap<>(IdOrder.COMPARATOR);
    before
        .byId()
        .forEach((id, row) ->
            moved.put(
                id,
                writer.append(
                    new Put(id, row.content(), row.metadata(), row.file(), row.embedding()))));
    snapshot = writer.publish(TreePMap.fromSortedMap(moved), before.dimension());
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
              put.file(),
              isUnit ? stored : Vectors.scaled(stored, norm),
              isUnit ? null : stored);
    }

    Snapshot publish(TreePMap<String, Row> byId, int newDimension) {
      return new Snapshot(
          sequence, List.copyOf(chunks), chunks.isEmpty() ? 0 : fill, byId, newDimension);
    }

    private int nextCapacity() {
      int grown = chunks.isEmpty() ? FIRST_CAPACITY : chunks.getLast().capacity() * 2;
      return Math.min(MAX_CHUNK_ROWS, Math.max(grown, expected));
    }
  }
}
