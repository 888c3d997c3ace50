package dev.contextd.storage.check;

import dev.contextd.storage.chromem.FileState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * How a folder differs from what we know of it.
 *
 * @param superseded known documents of which our version is not served: another program changed or
 *     deleted them
 * @param present files that are right as they stand though we knew them otherwise, by id
 */
public record Differences(Set<String> superseded, Map<String, FileState> present) {
  static Differences none() {
    return new Differences(new HashSet<>(), new HashMap<>());
  }
}
