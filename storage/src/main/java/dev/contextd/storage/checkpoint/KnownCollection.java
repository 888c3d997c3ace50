package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.KnownFolder;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A collection as its packs and the journal say it is, while the store is being opened. */
final class KnownCollection implements KnownFolder {
  private final KeptCollection kept;
  private final boolean isSamePlace;
  private final PackedRows rows;

  /** What the journal says of a document: its versions, the last one null where it was deleted. */
  private final Map<String, List<@Nullable StoredDocument>> inFlux = new LinkedHashMap<>();

  private final Map<String, String> inFluxByHash = new HashMap<>();

  /** The folder, where it was found to be as it was left. */
  private @Nullable Path folderAsLeft;

  private boolean knowsDeletions = true;

  /** Whether the journal has lost writes, which may be newer than what it still tells. */
  private boolean areWritesLost;

  /** Whether the journal alone tells of it, because the manifest is lost. */
  private boolean isOfJournalAlone;

  KnownCollection(KeptCollection kept, boolean isSamePlace) {
    this(kept, isSamePlace, new PackedRows(0));
  }

  /**
   * @param rows to which those of the packs will be added
   */
  KnownCollection(KeptCollection kept, boolean isSamePlace, PackedRows rows) {
    this.kept = kept;
    this.isSamePlace = isSamePlace;
    this.rows = rows;
  }

  KeptCollection kept() {
    return kept;
  }

  List<PackUnit> units() {
    return rows.units();
  }

  void ofJournalAlone() {
    isOfJournalAlone = true;
  }

  void writesLost() {
    areWritesLost = true;
  }

  boolean areWritesLost() {
    return areWritesLost;
  }

  void deletionsLost() {
    knowsDeletions = false;
  }

  /** Adds the rows of a pack that is newer than those before, whose rows it supersedes. */
  void add(List<PackUnit> newer) {
    rows.add(newer);
  }

  void delete(List<String> ids) {
    ids.forEach(rows::remove);
  }

  /** A document's pack row does not count any more. */
  void forget(String id) {
    rows.kill(id);
  }

  /**
   * All packs are read: they say where each document stands.
   *
   * @param isAsLeft whether the folder has their documents' files and no others, as they were left
   */
  void packsRead(boolean isAsLeft) {
    if (isAsLeft) {
      folderAsLeft = kept.folder().path();
      kept.foundAsLeft();
    } else {
      rows.requireIds();
    }
    kept.packed(rows);
  }

  /** The folder is judged: nobody asks for its files any more. */
  void judged() {
    rows.forgetFiles();
  }

  void put(StoredDocument document) {
    versions(document.id()).add(document);
  }

  void remove(String id) {
    versions(id).add(null);
  }

  private List<@Nullable StoredDocument> versions(String id) {
    inFluxByHash.put(Names.hash(id), id);
    return inFlux.computeIfAbsent(id, _ -> new ArrayList<>());
  }

  /** The documents in flux and their last versions, null where deleted. */
  Map<String, @Nullable StoredDocument> lastVersions() {
    Map<String, @Nullable StoredDocument> last = new LinkedHashMap<>();
    inFlux.forEach((id, versions) -> last.put(id, versions.getLast()));
    return last;
  }

  /**
   * Tells the collection, in their order, what the journal says of some documents: what was deleted
   * goes to the trash, even though it was put again. Where a checkpoint was cut short nothing says
   * which of that outlived it, so all of it is done again, and a version may be kept twice.
   *
   * @param ids of documents in flux
   */
  void tell(Collection<String> ids) {
    List<String> onlyPut = new ArrayList<>();
    for (String id : ids) {
      List<@Nullable StoredDocument> versions = inFlux.getOrDefault(id, List.of());
      if (!versions.contains(null)) {
        onlyPut.add(id);
        continue;
      }
      StoredDocument last = null;
      for (StoredDocument version : versions) {
        if (version == null) {
          StoredDocument deleted = last;
          kept.removed(List.of(id), asked -> deleted == null ? packed(asked) : deleted, List.of());
        } else {
          kept.put(List.of(id), List.of());
        }
        last = version;
      }
    }
    kept.put(onlyPut, List.of());
  }

  /** Our last version of a document, and before it those that were deleted since the packs. */
  List<StoredDocument> ours(String id) {
    List<StoredDocument> ours = new ArrayList<>();
    StoredDocument last = packed(id);
    for (StoredDocument version : inFlux.getOrDefault(id, List.of())) {
      if (version != null) {
        last = version;
      } else if (last != null) {
        ours.add(last);
        last = null;
      }
    }
    if (last != null) {
      ours.add(last);
    }
    return KeptCollection.Change.Removed.bounded(ours);
  }

  /** The ids of all that the packs hold. */
  Set<String> known() {
    return kept.copies().keySet();
  }

  /** Our version of a document as the pack has it; null where none has. */
  @Nullable StoredDocument packed(String id) {
    return rows.document(id);
  }

  @Override
  public StoredCollection collection() {
    return kept.stored();
  }

  @Override
  public boolean isMetadataUnchanged(Disk.Entry file) {
    OptionalLong key = FileState.key(file.name());
    return key.isPresent()
        && key.getAsLong() == kept.metadataFile.key()
        && kept.metadataFile.isUnchanged(file.size(), file.modifiedNanos());
  }

  @Override
  public Optional<Disk.Entry> metadataAsLeft(Path folder) {
    FileState file = kept.metadataFile;
    return folder.equals(folderAsLeft) && inFlux.isEmpty()
        ? Optional.of(
            new Disk.Entry(folder, file.name(), Disk.Kind.FILE, file.size(), file.modifiedNanos()))
        : Optional.empty();
  }

  @Override
  public int number(long key) {
    return rows.table().number(key);
  }

  @Override
  public void find(long[] asked, int count, int[] numbers) {
    rows.table().find(asked, count, numbers);
  }

  @Override
  public boolean isUnchanged(int number, long size, long modifiedNanos) {
    return rows.table().isUnchanged(number, size, modifiedNanos);
  }

  @Override
  public KnownFile file(int number) {
    return rows.file(number);
  }

  @Override
  public @Nullable KnownFile ofId(String id) {
    KeptCollection.Copy copy = rows.copy(id);
    return copy == null ? null : new KnownFile(id, copy.file());
  }

  @Override
  public int files() {
    return rows.count();
  }

  @Override
  public void forEachFile(BiConsumer<String, FileState> action) {
    kept.copies().forEach((id, copy) -> action.accept(id, copy.file()));
  }

  @Override
  public int dimension() {
    return rows.dimension();
  }

  @Override
  public boolean isInFlux(String id) {
    return inFlux.containsKey(id);
  }

  @Override
  public Optional<String> inFluxByHash(String hash) {
    return Optional.ofNullable(inFluxByHash.get(hash));
  }

  @Override
  public boolean isOurs(StoredDocument document) {
    StoredDocument packed = packed(document.id());
    if (packed != null && packed.hasSameContentAs(document)) {
      return true;
    }
    return inFlux.getOrDefault(document.id(), List.of()).stream()
        .anyMatch(version -> version != null && version.hasSameContentAs(document));
  }

  @Override
  public boolean mayBeTorn(String id, long size) {
    return inFlux.getOrDefault(id, List.of()).stream()
        .anyMatch(version ->
            version != null
                && DocumentFormat.encode(version, kept.folder().compression()).length >= size);
  }

  @Override
  public boolean knowsAll() {
    return kept.damagedPacks.isEmpty() && !isOfJournalAlone;
  }

  @Override
  public boolean knowsDeletions() {
    return knowsDeletions;
  }

  @Override
  public boolean isSamePlace() {
    return isSamePlace;
  }
}
