package dev.contextd.engine.search;

import dev.contextd.engine.Filter;
import dev.contextd.storage.gob.StringMaps;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The metadata of one chunk as columns: for each field an array of small numbers, one a row, that
 * stand for its distinct values; 0 stands for a missing field. A filter is decided once a value,
 * and then is a comparison of numbers a row.
 *
 * <p>Invariants: written by one writer, in order of slots; a reader looks at no slot its snapshot
 * does not hold, so that every code it meets was published before. At most {@value #MAX_COLUMNS}
 * fields have a column; conditions on others are decided row by row.
 */
final class MetadataColumns {
  /** Bounds the memory of documents with ever new field names. */
  static final int MAX_COLUMNS = 64;

  private static final int MISSING = 0;

  private final int capacity;
  private final Map<String, Column> columns = new ConcurrentHashMap<>();
  private volatile boolean overflowing;
  private int highest;

  MetadataColumns(int capacity) {
    this.capacity = capacity;
  }

  private static final class Column {
    final String field;
    final int[] codes;
    final Map<String, Integer> codeOf = new HashMap<>();
    volatile String[] values = {""};

    Column(String field, int capacity) {
      this.field = field;
      this.codes = new int[capacity];
    }

    /** Writer only. */
    String put(int slot, String value) {
      Integer code = codeOf.get(value);
      if (code == null) {
        code = codeOf.size() + 1;
        codeOf.put(value, code);
        String[] current = values;
        String[] grown =
            code < current.length ? current : Arrays.copyOf(current, current.length * 2);
        grown[code] = value;
        values = grown;
      }
      codes[slot] = code;
      return values[code];
    }
  }

  /** Adds a row's metadata; returns it with fields and values shared between rows. */
  Map<String, String> put(int slot, Map<String, String> metadata) {
    if (slot < highest) {
      // A write that failed was here before; its values must not match this row.
      columns.values().forEach(column -> column.codes[slot] = MISSING);
    }
    highest = Math.max(highest, slot + 1);
    return StringMaps.mapped(
        metadata,
        (field, value) -> {
          Column column = column(field);
          return column == null
              ? Map.entry(field, value)
              : Map.entry(column.field, column.put(slot, value));
        });
  }

  /**
   * The rows that a filter matches.
   *
   * @param rows of the chunk, for fields without a column
   * @param count how many rows to look at
   * @return a bit a row
   */
  long[] match(Filter filter, RowChunk rows, int count) {
    return switch (filter) {
      case Filter.And and -> {
        long[] bits = all(count);
        for (Filter part : and.all()) {
          long[] other = match(part, rows, count);
          for (int i = 0; i < bits.length; i++) {
            bits[i] &= other[i];
          }
        }
        yield bits;
      }
      case Filter.Or or -> {
        long[] bits = new long[words(count)];
        for (Filter part : or.any()) {
          long[] other = match(part, rows, count);
          for (int i = 0; i < bits.length; i++) {
            bits[i] |= other[i];
          }
        }
        yield bits;
      }
      case Filter.Not not -> {
        long[] bits = match(not.filter(), rows, count);
        long[] all = all(count);
        for (int i = 0; i < bits.length; i++) {
          bits[i] = ~bits[i] & all[i];
        }
        yield bits;
      }
      case Filter.Condition condition -> match(condition, rows, count);
    };
  }

  private long[] match(Filter.Condition condition, RowChunk rows, int count) {
    Column column = columns.get(condition.field());
    if (column == null) {
      return overflowing
          ? matchRows(condition, rows, count)
          : condition.matches(null) ? all(count) : new long[words(count)];
    }
    String[] values = column.values;
    long[] matches = new long[values.length];
    matches[MISSING] = condition.matches(null) ? 1 : 0;
    for (int code = 1; code < values.length && values[code] != null; code++) {
      matches[code] = condition.matches(values[code]) ? 1 : 0;
    }
    long[] bits = new long[words(count)];
    int[] codes = column.codes;
    for (int word = 0; word < bits.length; word++) {
      int end = Math.min(count, (word + 1) << 6);
      long found = 0;
      for (int slot = word << 6; slot < end; slot++) {
        found |= matches[codes[slot]] << slot; // no branch: which rows match is hard to predict
      }
      bits[word] = found;
    }
    return bits;
  }

  private static long[] matchRows(Filter.Condition condition, RowChunk rows, int count) {
    long[] bits = new long[words(count)];
    for (int slot = 0; slot < count; slot++) {
      if (rows.isFilled(slot)
          && condition.matches(rows.row(slot).keptMetadata().get(condition.field()))) {
        bits[slot >> 6] |= 1L << slot;
      }
    }
    return bits;
  }

  private @Nullable Column column(String field) {
    Column column = columns.get(field);
    if (column == null) {
      if (columns.size() >= MAX_COLUMNS) {
        overflowing = true;
        return null;
      }
      column = new Column(field, capacity);
      columns.put(field, column);
    }
    return column;
  }

  private static int words(int count) {
    return (count + Long.SIZE - 1) / Long.SIZE;
  }

  private static long[] all(int count) {
    long[] bits = new long[words(count)];
    Arrays.fill(bits, -1L);
    if ((count & 63) != 0) {
      bits[bits.length - 1] = (1L << count) - 1;
    }
    return bits;
  }
}
