package dev.contextd.engine.search;

import dev.contextd.engine.Filter;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * A collection's documents at one moment: immutable, so that whoever holds it sees each write whole
 * or not at all.
 *
 * @param sequence of the last write it holds
 * @param chunks all full but the last
 * @param lastFill rows in the last chunk
 * @param byId the living rows
 * @param dimension 0 while there is no document
 */
public record Snapshot(
    long sequence, List<RowChunk> chunks, int lastFill, RowsById byId, int dimension) {

  static final Snapshot EMPTY = new Snapshot(0, List.of(), 0, RowsById.EMPTY, 0);

  public int count() {
    return byId.count();
  }

  public @Nullable Row get(String id) {
    return byId.map().get(id);
  }

  /** The living rows after an id, in order of ids. */
  public Iterator<Row> after(@Nullable String id) {
    TreePMap<String, Row> map = byId.map();
    return (id == null ? map : map.tailMap(id, false)).values().iterator();
  }

  /** How many living rows a filter matches. */
  public long count(Filter filter) {
    long count = 0;
    for (int c = 0; c < chunks.size(); c++) {
      long[] bits = living(c, filter);
      for (int word = 0; word < bits.length; word++) {
        count += Long.bitCount(bits[word]);
      }
    }
    return count;
  }

  /** The living rows that a filter matches, in order of rows. */
  public List<Row> matching(Filter filter) {
    List<Row> rows = new ArrayList<>();
    for (int c = 0; c < chunks.size(); c++) {
      long[] bits = living(c, filter);
      for (int word = 0; word < bits.length; word++) {
        for (long rest = bits[word]; rest != 0; rest &= rest - 1) {
          rows.add(chunks.get(c).row((word << 6) + Long.numberOfTrailingZeros(rest)));
        }
      }
    }
    return rows;
  }

  int fill(int chunk) {
    return chunk == chunks.size() - 1 ? lastFill : chunks.get(chunk).capacity();
  }

  /** The rows of a chunk that live and match, a bit each. */
  long[] living(int index, Filter filter) {
    RowChunk chunk = chunks.get(index);
    long[] bits = chunk.columns().match(filter, chunk, fill(index));
    if (!chunk.hasDead()) {
      return bits;
    }
    for (int word = 0; word < bits.length; word++) {
      for (long rest = bits[word]; rest != 0; rest &= rest - 1) {
        int slot = (word << 6) + Long.numberOfTrailingZeros(rest);
        if (!chunk.isAlive(slot, sequence)) {
          bits[word] &= ~(1L << slot);
        }
      }
    }
    return bits;
  }
}
