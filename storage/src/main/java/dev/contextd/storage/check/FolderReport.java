package dev.contextd.storage.check;

import java.util.List;
import java.util.Optional;

/**
 * What the check found in one folder.
 *
 * @param folder its name below the root
 * @param name the collection's name, where it could be read
 * @param served how many documents are intact
 * @param documentFiles how many files a document may be in, readable or not
 */
public record FolderReport(
    String folder, Optional<String> name, int served, int documentFiles, List<Damage> damage) {

  public FolderReport {
    damage = List.copyOf(damage);
  }

  /** The three classes of a collection that operators see. */
  public enum Health {
    /** Everything in it is served. */
    HEALTHY,
    /** Something in it is not. */
    CORRUPT,
    /** The folder has neither metadata nor documents. */
    EMPTY
  }

  public Health health() {
    if (damage.stream().anyMatch(found -> found.loss() != Damage.Loss.NOTHING)) {
      return Health.CORRUPT;
    }
    return name.isEmpty() ? Health.EMPTY : Health.HEALTHY;
  }

  /** Whether the collection as a whole is served. */
  public boolean isServed() {
    return name.isPresent()
        && damage.stream().noneMatch(found -> found.loss() == Damage.Loss.COLLECTION);
  }

  /** How many documents of a served collection are not served. */
  public int unserved() {
    return (int) damage.stream().filter(found -> found.loss() == Damage.Loss.DOCUMENT).count();
  }
}
