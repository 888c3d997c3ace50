package dev.contextd.resilience;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The health of a store: which folders are wholly served, which are not, which are empty.
 *
 * <p>A folder in quarantine is corrupt until an operator restores or discards it; a collection
 * created since under the same name is listed beside it, not instead of it.
 *
 * @param healthy folders of collections that are served whole, in order
 * @param corrupt folders of which anything is unserved, in quarantine or in place, in order
 * @param empty folders with neither metadata nor documents, in order
 * @param details for each corrupt folder, a sentence
 */
public record HealthReport(
    List<String> healthy,
    List<String> corrupt,
    List<String> empty,
    Map<String, String> details,
    Instant checkedAt,
    Duration duration) {

  public HealthReport {
    healthy = List.copyOf(healthy);
    corrupt = List.copyOf(corrupt);
    empty = List.copyOf(empty);
    details = Map.copyOf(details);
  }

  public boolean isDegraded() {
    return !corrupt.isEmpty();
  }

  public int total() {
    return healthy.size() + corrupt.size() + empty.size();
  }
}
