package dev.contextd.storage.gob;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;

/** Unmodifiable maps of strings, such as metadata, that no choice of keys makes slow. */
public final class StringMaps {
  /** Up to how many entries a map is kept in its compact form. */
  private static final int MAX_COMPACT_ENTRIES = 64;

  private StringMaps() {}

  /** A copy. The compact form probes linearly: keys of one hash code would cost quadratic time. */
  public static Map<String, String> copyOf(Map<String, String> map) {
    if (map.size() <= MAX_COMPACT_ENTRIES) {
      return Map.copyOf(map);
    }
    Map<String, String> copy = HashMap.newHashMap(map.size());
    map.forEach(
        (key, value) -> copy.put(Objects.requireNonNull(key), Objects.requireNonNull(value)));
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
