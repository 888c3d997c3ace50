package dev.contextd.engine.search;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * The living rows of a snapshot by id. Of a table that was just opened the map is made when
 * somebody first asks for it: a search does not, and a map with an object for each row takes longer
 * than all else that an opening does in memory.
 */
final class RowsById {
  static final RowsById EMPTY = new RowsById(TreePMap.empty(IdOrder.COMPARATOR));

  private final int count;

  /** Whose rows become the map; empty once it is made. */
  private List<RowChunk> chunks;

  private volatile @Nullable TreePMap<String, Row> map;

  RowsById(TreePMap<String, Row> map) {
    this.count = map.size();
    this.chunks = List.of();
    this.map = map;
  }

  /**
   * All rows of chunks that are filled and not left empty, each id once; none is killed before the
   * map was asked for.
   */
  RowsById(List<RowChunk> chunks, int count) {
    this.count = count;
    this.chunks = chunks;
  }

  int count() {
    return count;
  }

  TreePMap<String, Row> map() {
    TreePMap<String, Row> made = map;
    return made == null ? make() : made;
  }

  private synchronized TreePMap<String, Row> make() {
    TreePMap<String, Row> made = map;
    if (made == null) {
      List<Row> rows = new ArrayList<>(count);
      for (RowChunk chunk : chunks) {
        chunk.forEachRow(rows::add);
      }
      made = TreePMap.fromSortedMap(new SortedRows(rows.toArray(Row[]::new)));
      map = made;
      chunks = List.of();
    }
    return made;
  }
}
