package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.OwnNames;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;

/**
 * Reads every byte of both copies of everything and holds it against its checksum: finds what rots
 * without anybody having written to it.
 *
 * <p>It runs beside writers: a file that changes while it is read is left to the next scrub.
 */
final class Scrub {
  private final Disk disk;
  private final ForkJoinPool pool;
  private final Checkpointer checkpointer;
  private final List<Damage> damage = new ArrayList<>();

  Scrub(Disk disk, ForkJoinPool pool, Checkpointer checkpointer) {
    this.disk = disk;
    this.pool = pool;
    this.checkpointer = checkpointer;
  }

  /** Returns what was found; a damaged pack is already on its way to be built again. */
  List<Damage> run() {
    for (KeptCollection collection : checkpointer.collections()) {
      if (collection.isReadable()) {
        scrubMetadata(collection);
        for (Map.Entry<String, Copy> entry : checkpointer.copiesOf(collection).entrySet()) {
          scrubDocument(collection, entry.getKey(), entry.getValue());
        }
      }
      for (Manifest.Pack pack : checkpointer.packsOf(collection)) {
        scrubPack(collection, pack);
      }
    }
    return damage;
  }

  /** Why a file is not what it was; empty where it is, or where nobody can tell now. */
  private Optional<String> fault(CollectionFolder folder, FileState known) {
    String file = known.name();
    try {
      Optional<FileCalls.Stat> before = folder.stat(file);
      if (before.isEmpty()) {
        return Optional.of("it is gone");
      }
      byte[] content = disk.read(folder.path().resolve(file));
      FileState now =
          FileState.of(file, before.get().size(), before.get().modifiedNanos(), content);
      boolean isUntouched = known.isUnchanged(now.size(), now.modifiedNanos());
      if (isUntouched && now.crc() != known.crc()) {
        return Optional.of("its bytes fail their checksum though nobody wrote to it");
      }
      if (!isUntouched && !file.startsWith(Names.METADATA_HASH + ".")) {
        DocumentFormat.decode(content);
      }
      return Optional.empty();
    } catch (FormatException e) {
      return Optional.of(e.reason());
    } catch (IOException e) {
      return Optional.empty(); // Not permitted or busy is not damaged.
    }
  }

  private void scrubMetadata(KeptCollection collection) {
    FileState known = collection.metadataFile;
    if (known.size() < 0) {
      return;
    }
    fault(collection.folder(), known)
        .filter(_ -> collection.metadataFile.equals(known) && !collection.isDirty())
        .ifPresent(why ->
            damage.add(
                new Damage.MetadataSpoiled(
                    collection.folder().name(),
                    why.equals("it is gone") ? "" : known.name(),
                    collection.stored().name(),
                    "is damaged: " + why)));
  }

  private void scrubDocument(KeptCollection collection, String id, Copy copy) {
    Optional<String> fault = fault(collection.folder(), copy.file());
    if (fault.isEmpty() || !checkpointer.isCurrent(collection, id, copy)) {
      return;
    }
    String folder = collection.folder().name();
    String file = copy.file().name();
    damage.add(
        fault.get().equals("it is gone")
            ? new Damage.DocumentMissing(folder, file, id)
            : new Damage.DocumentSpoiled(folder, file, id, fault.get()));
  }

  private void scrubPack(KeptCollection collection, Manifest.Pack pack) {
    String reason;
    try {
      PackLoading.Loaded loaded =
          PackLoading.load(disk, pool, checkpointer.packs(), pack, collection.incarnation());
      if (loaded.damagedRows() == 0 && !loaded.tombstonesLost()) {
        return;
      }
      reason = loaded.damagedRows() + " of its rows fail their checksum";
    } catch (FormatException e) {
      reason = e.reason();
    } catch (IOException e) {
      if (!checkpointer.packsOf(collection).contains(pack)) {
        return; // It was merged meanwhile.
      }
      reason = "it cannot be opened: " + e.getMessage();
    }
    if (checkpointer.repack(collection, pack.number())) {
      damage.add(
          new Damage.PackDamaged(
              Names.PRIVATE, OwnNames.PACKS + "/" + PackFormat.fileName(pack.number()), reason));
    }
  }
}
