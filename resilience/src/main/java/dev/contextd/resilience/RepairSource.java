package dev.contextd.resilience;

import dev.contextd.storage.check.Damage;
import java.util.Optional;

/** What a thing that was mended was made from. */
public enum RepairSource {
  /** The documents in memory, while the store was open. */
  MEMORY,
  /** The second copy of a document. */
  PACK,
  /** The documents' own files. */
  GOB,
  /** What the journal still held. */
  JOURNAL,
  /** What we know of a collection. */
  CATALOG,
  /** A name that the folder's own proves. */
  NAME,
  /** A backup, of which the folder's own name proves that it speaks of the same collection. */
  BACKUP;

  /** What the opening of a store mends a damage from; empty where it mends nothing. */
  static Optional<RepairSource> atOpening(Damage damage) {
    return switch (damage) {
      case Damage.DocumentMissing _, Damage.DocumentSpoiled _ -> Optional.of(PACK);
      case Damage.MetadataSpoiled _ -> Optional.of(CATALOG);
      case Damage.MetadataUnknown _ -> Optional.of(NAME);
      case Damage.PackDamaged _, Damage.CatalogLost _ -> Optional.of(GOB);
      default -> Optional.empty();
    };
  }
}
