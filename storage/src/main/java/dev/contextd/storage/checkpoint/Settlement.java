package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.Differences;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.IntactCollection.IntactDocument;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.FreshName;
import dev.contextd.storage.folder.Trash;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Settles what a collection serves, of what the packs hold, what the journal says and what lies in
 * the folder; and what is to be done so that all of them agree.
 */
final class Settlement {
  private final KnownCollection known;
  private final KeptCollection kept;
  private final Trash trash;
  private final Checkpointer checkpointer;

  Settlement(KnownCollection known, Trash trash, Checkpointer checkpointer) {
    this.known = known;
    this.kept = known.kept();
    this.trash = trash;
    this.checkpointer = checkpointer;
  }

  LoadedCollection of(IntactCollection intact) {
    Differences differences = intact.differences();
    Set<String> superseded = differences.superseded();
    Map<String, StoredDocument> documents = new HashMap<>();
    Map<String, FileState> adopted = new HashMap<>();
    for (IntactDocument document : intact.documents()) {
      documents.put(document.document().id(), document.document());
      adopted.put(document.document().id(), document.state());
    }
    if (!superseded.isEmpty() || !known.lastVersions().keySet().containsAll(documents.keySet())) {
      checkpointer.noteForeign();
    }
    keepVersions(superseded, documents.keySet());
    replay(superseded, documents, differences.present());
    for (var present : differences.present().entrySet()) {
      if (!known.isInFlux(present.getKey())) {
        adopted.put(present.getKey(), present.getValue());
      }
    }
    kept.adopt(adopted);
    repackDamaged(kept);
    return loaded(documents, intact);
  }

  /** All that was acknowledged, where the folder is not there. */
  LoadedCollection ofMissingFolder() {
    Map<String, StoredDocument> documents = new HashMap<>();
    replay(Set.of(), documents, Map.of());
    known.known().stream().filter(id -> !known.isInFlux(id)).forEach(kept::rewrite);
    return new LoadedCollection(
        kept, dimension(documents), known.units(), List.copyOf(documents.values()), List.of());
  }

  /** All that we know, where the folder is there and cannot be listed. */
  LoadedCollection ofUnreadFolder(IntactCollection intact) {
    Map<String, StoredDocument> documents = new HashMap<>();
    replay(Set.of(), documents, Map.of());
    return loaded(documents, intact);
  }

  private LoadedCollection loaded(Map<String, StoredDocument> documents, IntactCollection intact) {
    return new LoadedCollection(
        kept,
        dimension(documents),
        known.units(),
        List.copyOf(documents.values()),
        intact.damage());
  }

  /** All that is served has one dimension; what the journal put last decides. */
  private int dimension(Map<String, StoredDocument> documents) {
    for (PackUnit unit : known.units()) {
      if (unit.count() > 0) {
        return unit.dimension();
      }
    }
    return documents.values().stream()
        .mapToInt(document -> document.embedding().length)
        .findFirst()
        .orElse(0);
  }

  /**
   * The journal's last word on each document, where no other program has spoken since. Where the
   * journal has lost writes, the packs' versions may be newer: they go to the trash.
   */
  private void replay(
      Set<String> superseded,
      Map<String, StoredDocument> documents,
      Map<String, FileState> present) {
    List<String> told = new ArrayList<>();
    List<StoredDocument> maybeNewer = new ArrayList<>();
    for (var last : known.lastVersions().entrySet()) {
      String id = last.getKey();
      if (superseded.contains(id)) {
        continue;
      }
      FileState state = present.get(id);
      if (state != null) {
        kept.attempted.put(id, state);
      }
      StoredDocument version = last.getValue();
      StoredDocument packed = known.areWritesLost() ? known.packed(id) : null;
      if (packed != null && (version == null || !packed.hasSameContentAs(version))) {
        maybeNewer.add(packed);
      }
      known.forget(id);
      documents.remove(id);
      if (version != null) {
        documents.put(id, version);
      }
      told.add(id);
    }
    known.tell(told);
    toTrash(maybeNewer);
  }

  /** Our versions of documents that another program changed or deleted go to the trash. */
  private void keepVersions(Set<String> superseded, Set<String> replaced) {
    List<StoredDocument> versions = new ArrayList<>();
    for (String id : superseded) {
      versions.addAll(known.ours(id));
      known.forget(id);
      if (!replaced.contains(id)) {
        kept.forgotten(List.of(id));
      }
    }
    toTrash(versions);
  }

  private void toTrash(List<StoredDocument> versions) {
    if (!versions.isEmpty()) {
      checkpointer.later(() ->
          writeAll(
              checkpointer.disk(),
              trash.versions(kept.folder().name()),
              kept.folder(),
              versions,
              Optional.empty()));
    }
  }

  /** The whole collection goes to the trash, from which it can be restored. */
  void keepAll() {
    checkpointer.noteForeign();
    List<StoredDocument> versions = new ArrayList<>();
    for (String id : known.known()) {
      StoredDocument ours = known.packed(id);
      if (ours != null) {
        versions.add(ours);
      }
    }
    checkpointer.vanish(
        kept,
        () ->
            writeAll(
                checkpointer.disk(),
                trash.collection(kept.folder().name()),
                kept.folder(),
                versions,
                Optional.of(kept.stored())));
  }

  /** Writes documents into an entry of the trash, and for a whole collection its metadata. */
  static void writeAll(
      Disk disk,
      Path entry,
      CollectionFolder folder,
      List<StoredDocument> documents,
      Optional<StoredCollection> metadata)
      throws IOException {
    Compression compression = folder.compression();
    if (metadata.isPresent()) {
      disk.replaceLazily(
          new Disk.Image(
              entry.resolve(folder.metadataFile()),
              MetadataFormat.encode(metadata.get(), compression)));
    }
    for (StoredDocument document : documents) {
      String name = folder.defaultFile(document.id());
      int first = name.equals(folder.metadataFile()) ? 2 : 1;
      Path file = FreshName.numbered(disk, entry, name, first);
      disk.replaceLazily(new Disk.Image(file, DocumentFormat.encode(document, compression)));
    }
  }

  /** A damaged pack is built again from all that still counts in it. */
  static void repackDamaged(KeptCollection kept) {
    if (kept.damagedPacks.isEmpty()) {
      return;
    }
    Map<String, FileState> again = new HashMap<>();
    kept.copies()
        .forEach((id, copy) -> {
          if (kept.damagedPacks.contains(copy.pack())) {
            again.put(id, copy.file());
          }
        });
    kept.adopt(again);
  }
}
