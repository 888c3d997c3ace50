package dev.contextd.storage.gob;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

/** Unmodifiable maps of strings, such as metadata, that no choice of keys makes slow. */
public final class StringMaps {
  /** Up to how many entries a map is kept in its compact form. */
  private static final int MAX_COMPACT_ENTRIES = 64;

  private StringMaps() {}

  /** A copy. The compact form probes linearly: keys of one hash code would cost quadratic time. */
  public static Map<String, String> copyOf(Map<String, String> map) {
    return map.size() <= MAX_COMPACT_ENTRIES ? Map.copyOf(map) : mapped(map, Map::entry);
  }

  /**
   * A copy of other entries.
   *
   * @param one gives the entry that stands for one, with an equal key
   */
  public static Map<String, String> mapped(
      Map<String, String> map, BiFunction<String, String, Map.Entry<String, String>> one) {
    if (map.size() <= MAX_COMPACT_ENTRIES) {
      List<Map.Entry<String, String>> entries = new ArrayList<>(map.size());
      map.forEach((key, value) -> entries.add(one.apply(key, value)));
      @SuppressWarnings({"unchecked", "rawtypes"})
      Map.Entry<String, String>[] all = entries.toArray(new Map.Entry[0]);
      return Map.ofEntries(all);
    }
    Map<String, String> copy = HashMap.newHashMap(map.size());
    map.forEach((key, value) -> {
      Map.Entry<String, String> entry = one.apply(key, value);
      copy.put(entry.getKey(), entry.getValue());
    });
    return Collections.unmodifiableMap(copy);
  }

  /** Gives out the entries in the order of their keys, so that equal maps give equal bytes. */
  public static void inOrder(Map<String, String> map, BiConsumer<String, String> entries) {
    if (map.size() < 2) {
      map.forEach(entries);
      return;
    }
    String[] keys = map.keySet().toArray(String[]::new);
    Arrays.sort(keys);
    for (String key : keys) {
      entries.accept(key, Objects.requireNonNull(map.get(key)));
    }
  }
}
