package dev.contextd.resilience;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The health of a store: which folders are wholly served, which are not, which are empty.
 *
 * <p>A folder in quarantine is corrupt until an operator restores or discards it; a collection
 * created since under the same name is listed beside it, not instead of it. What is served whole
 * from another copy is healthy.
 *
 * @param healthy folders of collections that are served whole, in order
 * @param corrupt folders of which anything is unserved, in quarantine or in place, in order
 * @param empty folders with neither metadata nor documents, in order
 * @param details for each corrupt folder, a sentence; under {@code .contextd} what concerns all
 * @param damage how many things of each kind were found, quarantined ones included, by its word
 * @param quarantined what lies in quarantine and costs somebody something
 * @param unavailable documents that cannot be served, as far as their number is known
 * @param brake why nothing is moved or mended; empty where the brake does not hold
 * @param readOnly why the store cannot be written; empty where it can
 * @param error why the store could not be looked at, whereupon the rest is what was last known;
 *     empty where it could
 */
public record HealthReport(
    List<String> healthy,
    List<String> corrupt,
    List<String> empty,
    Map<String, String> details,
    Map<String, Integer> damage,
    List<Quarantined> quarantined,
    long unavailable,
    Optional<String> brake,
    Optional<String> readOnly,
    Optional<String> error,
    Instant checkedAt,
    Duration duration) {

  /** Of a store that nobody has looked at. */
  static final HealthReport UNSEEN =
      new HealthReport(
          List.of(),
          List.of(),
          List.of(),
          Map.of(),
          Map.of(),
          List.of(),
          0,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Instant.EPOCH,
          Duration.ZERO);

  public HealthReport {
    healthy = List.copyOf(healthy);
    corrupt = List.copyOf(corrupt);
    empty = List.copyOf(empty);
    details = Map.copyOf(details);
    damage = Map.copyOf(damage);
    quarantined = List.copyOf(quarantined);
  }

  /**
   * Something in quarantine.
   *
   * @param entry its name below {@code .quarantine/}
   * @param folder it came from
   * @param file empty where it is the whole folder
   * @param why in a sentence; empty where its note cannot be read
   * @param since RFC 3339; empty where its note cannot be read
   */
  public record Quarantined(
      String entry, String folder, String file, String why, String since, boolean reviewed) {}

  /** Whether anything is unserved or lost, or may be because nobody can tell. */
  public boolean isDegraded() {
    return !corrupt.isEmpty() || !details.isEmpty() || brake.isPresent() || error.isPresent();
  }

  boolean isSeen() {
    return checkedAt.isAfter(Instant.EPOCH);
  }

  public int total() {
    return healthy.size() + corrupt.size() + empty.size();
  }

  HealthReport failed(String reason, Instant at, Duration took) {
    return new HealthReport(
        healthy,
        corrupt,
        empty,
        details,
        damage,
        quarantined,
        unavailable,
        brake,
        readOnly,
        Optional.of(reason),
        at,
        took);
  }
}
