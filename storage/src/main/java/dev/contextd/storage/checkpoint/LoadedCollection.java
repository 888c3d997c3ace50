package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.StoredDocument;
import java.util.List;

/**
 * A collection as it was opened: what it serves, and what is wrong in its folder.
 *
 * @param dimension 0 where there is no document
 * @param units rows of packs; the live ones are served
 * @param documents served beside them, no id twice
 */
public record LoadedCollection(
    KeptCollection kept,
    int dimension,
    List<PackUnit> units,
    List<StoredDocument> documents,
    List<Damage> damage) {

  public LoadedCollection {
    units = List.copyOf(units);
    documents = List.copyOf(documents);
    damage = List.copyOf(damage);
  }

  /** Takes the collections of a store one after another. */
  @FunctionalInterface
  public interface Sink {
    void accept(LoadedCollection collection);
  }
}
