package dev.contextd.resilience;

import dev.contextd.storage.check.Damage;
import java.util.List;
import java.util.Optional;

/**
 * What opening a store came to.
 *
 * @param collections served
 * @param documents served
 * @param quarantined what was moved just now
 * @param mended what was written again just now, without loss
 * @param inPlace damage that was left where it is, whatever the reason
 * @param failedMoves how many things could not be moved, and are in place
 * @param repairs what was mended just now, by its source
 * @param inQuarantine all entries of the quarantine, older ones included
 * @param brake why nothing was moved; empty where the brake did not hold
 * @param readOnly why the store cannot be written; empty where it can
 */
public record OpenSummary(
    int collections,
    long documents,
    List<Moved> quarantined,
    List<Moved> mended,
    List<InPlace> inPlace,
    int failedMoves,
    List<RepairSource> repairs,
    int inQuarantine,
    Optional<String> brake,
    Optional<String> readOnly) {

  public OpenSummary {
    quarantined = List.copyOf(quarantined);
    mended = List.copyOf(mended);
    inPlace = List.copyOf(inPlace);
    repairs = List.copyOf(repairs);
  }

  /**
   * A damaged thing that was moved.
   *
   * @param entry its name below {@code .quarantine/}; empty where there was nothing to move
   */
  public record Moved(Damage damage, String entry) {}

  /**
   * A damaged thing that was not moved.
   *
   * @param why it was left; empty where leaving it is the repair
   */
  public record InPlace(Damage damage, Optional<String> why) {}
}
