package dev.contextd.engine.search;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.SortedMap;

/**
 * Rows by id, in order, for a persistent map to be made from in one go: a {@link java.util.TreeMap}
 * would look for the place of each row again.
 */
@SuppressWarnings("JdkObsolete") // what the persistent map takes
final class SortedRows extends AbstractMap<String, Row> implements SortedMap<String, Row> {
  private final Row[] rows;

  /**
   * @param rows in any order, each id once; sorted in place
   */
  SortedRows(Row[] rows) {
    Arrays.parallelSort(rows, (a, b) -> IdOrder.COMPARATOR.compare(a.id(), b.id()));
    this.rows = rows;
  }

  @Override
  public Comparator<? super String> comparator() {
    return IdOrder.COMPARATOR;
  }

  @Override
  public Set<Entry<String, Row>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public Iterator<Entry<String, Row>> iterator() {
        return new Iterator<>() {
          private int next;

          @Override
          public boolean hasNext() {
            return next < rows.length;
          }

          @Override
          public Entry<String, Row> next() {
            if (next == rows.length) {
              throw new NoSuchElementException();
            }
            Row row = rows[next++];
            return Map.entry(row.id(), row);
          }
        };
      }

      @Override
      public int size() {
        return rows.length;
      }
    };
  }

  @Override
  public String firstKey() {
    return rows[0].id();
  }

  @Override
  public String lastKey() {
    return rows[rows.length - 1].id();
  }

  @Override
  public SortedMap<String, Row> subMap(String fromKey, String toKey) {
    throw new UnsupportedOperationException();
  }

  @Override
  public SortedMap<String, Row> headMap(String toKey) {
    throw new UnsupportedOperationException();
  }

  @Override
  public SortedMap<String, Row> tailMap(String fromKey) {
    throw new UnsupportedOperationException();
  }
}
