package dev.contextd.engine;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Names;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * The files of a collection that lie in its folder and are not what is served: damaged ones, other
 * versions of a document, and copies.
 *
 * <p>They are remembered so that a document which is written or deleted takes its other files with
 * it to the trash: none of them may come back at the next start.
 */
final class UnservedFiles {
  private final CopyOnWriteArrayList<Damage> damage = new CopyOnWriteArrayList<>();

  void add(Collection<Damage> found) {
    damage.addAll(found);
  }

  void remove(Damage found) {
    damage.remove(found);
  }

  /** What was found of late is all there is. */
  void replace(List<Damage> found) {
    damage.removeIf(known -> !found.contains(known));
    damage.addAllAbsent(found);
  }

  List<Damage> all() {
    return List.copyOf(damage);
  }

  /** How many documents are not served. */
  int documents() {
    return (int) damage.stream().filter(found -> found.loss() == Damage.Loss.DOCUMENT).count();
  }

  /** Whether a version of the document lies here that is not served. */
  boolean holds(String id) {
    return ofIds(List.of(id)).anyMatch(found -> found.loss() == Damage.Loss.DOCUMENT);
  }

  /** A file that could not be opened and whose name a document of this id would have. */
  Optional<String> mayHold(String id) {
    if (damage.isEmpty()) {
      return Optional.empty();
    }
    String hash = Names.hash(id);
    return damage.stream()
        .filter(found -> found instanceof Damage.Inaccessible && found.file().startsWith(hash))
        .map(Damage::file)
        .findFirst();
  }

  /** Names of the other files of these documents. */
  List<String> filesOf(List<String> ids) {
    return ofIds(ids).map(Damage::file).toList();
  }

  /** The documents were written or deleted, and their other files are in the trash. */
  void superseded(List<String> ids) {
    List<Damage> gone = new ArrayList<>(ofIds(ids).toList());
    damage.removeAll(gone);
  }

  private Stream<Damage> ofIds(List<String> ids) {
    if (damage.isEmpty()) {
      return Stream.empty();
    }
    Set<String> wanted = new HashSet<>(ids);
    return damage.stream().filter(found -> idOf(found).filter(wanted::contains).isPresent());
  }

  private static Optional<String> idOf(Damage damage) {
    return switch (damage) {
      case Damage.DocumentMisplaced found -> Optional.of(found.id());
      case Damage.DocumentDuplicate found -> Optional.of(found.id());
      case Damage.DocumentCopy found -> Optional.of(found.id());
      case Damage.DimensionMismatch found -> Optional.of(found.id());
      case Damage.VectorUnusable found -> Optional.of(found.id());
      case Damage.MetadataMissing _,
          Damage.MetadataUnreadable _,
          Damage.MetadataMisplaced _,
          Damage.NameClaimedTwice _,
          Damage.NameAmbiguous _,
          Damage.DocumentAmbiguous _,
          Damage.DocumentUnreadable _,
          Damage.Inaccessible _,
          Damage.DocumentMissing _,
          Damage.DocumentSpoiled _,
          Damage.DocumentChanged _,
          Damage.MetadataSpoiled _,
          Damage.MetadataUnknown _,
          Damage.CollectionRecreated _,
          Damage.CollectionVanished _,
          Damage.FolderUnreadable _,
          Damage.PackDamaged _,
          Damage.CatalogLost _,
          Damage.JournalDamaged _,
          Damage.TextNotUtf8 _,
          Damage.TrailingBytes _,
          Damage.Leftover _ ->
          Optional.empty();
    };
  }
}
