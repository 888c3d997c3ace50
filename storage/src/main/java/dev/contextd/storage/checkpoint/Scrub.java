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
import dev.contextd.storage.folder.ScrubRecord;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Reads every byte of both copies of everything and holds it against its checksum: finds what rots
 * without anybody having written to it.
 *
 * <p>It runs beside writers: a file that changes while it is read is left to the next scrub.
 */
final class Scrub {
  /** After so many bytes it is noted how far the scrub is. */
  private static final long NOTE_BYTES = 256L << 20;

  /** Larger than any file's key. */
  private static final long ALL_FILES = Long.MAX_VALUE;

  private static final String GONE = "it is gone";

  private final Disk disk;
  private final Workers workers;
  private final Checkpointer checkpointer;
  private final ScrubPace pace;
  private final Progress progress;
  private final List<Damage> damage = new ArrayList<>();
  private long total;
  private long done;
  private long noted;
  private boolean isEnding;

  /** Is told how far a scrub is, so that the next one may go on from there. */
  @FunctionalInterface
  interface Progress {
    void note(long incarnation, long file, long bytes);
  }

  Scrub(Disk disk, Workers workers, Checkpointer checkpointer, ScrubPace pace, Progress progress) {
    this.disk = disk;
    this.workers = workers;
    this.checkpointer = checkpointer;
    this.pace = pace;
    this.progress = progress;
  }

  /**
   * Reads everything that was not read before.
   *
   * @param from where the one before ended
   * @param found takes what is damaged in a collection; a damaged pack is already on its way to be
   *     built again
   * @return whether it came to the end
   */
  boolean run(ScrubRecord from, Consumer<List<Damage>> found) {
    done = from.bytes();
    noted = done;
    List<KeptCollection> collections = checkpointer.collections();
    collections.forEach(collection -> total += bytes(collection));
    for (KeptCollection collection : collections) {
      if (collection.incarnation() >= from.incarnation() && !isEnding) {
        boolean isBegun = collection.incarnation() == from.incarnation();
        scrub(collection, isBegun ? from.file() : -1);
        if (!damage.isEmpty()) {
          found.accept(List.copyOf(damage));
          damage.clear();
        }
      }
    }
    return !isEnding;
  }

  private long bytes(KeptCollection collection) {
    long bytes = 0;
    for (Copy copy : checkpointer.copiesOf(collection).values()) {
      bytes += copy.file().size();
    }
    for (Manifest.Pack pack : checkpointer.packsOf(collection)) {
      bytes += pack.bytes();
    }
    return bytes;
  }

  private void scrub(KeptCollection collection, long after) {
    long incarnation = collection.incarnation();
    List<Map.Entry<String, Copy>> copies = new ArrayList<>();
    if (collection.isReadable()) {
      if (after < 0) {
        scrubMetadata(collection);
      }
      copies.addAll(checkpointer.copiesOf(collection).entrySet());
      copies.sort(Comparator.comparingLong(entry -> entry.getValue().file().key()));
    }
    for (Map.Entry<String, Copy> entry : copies) {
      FileState file = entry.getValue().file();
      if (file.key() > after && !isEnding) {
        scrubDocument(collection, entry.getKey(), entry.getValue());
        advance(incarnation, file.key(), file.size());
      }
    }
    for (Manifest.Pack pack : checkpointer.packsOf(collection)) {
      if (!isEnding) {
        scrubPack(collection, pack);
        advance(incarnation, ALL_FILES, pack.bytes());
      }
    }
  }

  private void advance(long incarnation, long file, long bytes) {
    done += bytes;
    isEnding = !pace.goOn(bytes, done, total);
    if (isEnding || done - noted >= NOTE_BYTES) {
      noted = done;
      progress.note(incarnation, file, done);
    }
  }

  /** Why a file is not what it was; empty where it is, or where nobody can tell now. */
  private Optional<String> fault(CollectionFolder folder, FileState known) {
    String file = known.name();
    try {
      Optional<FileCalls.Stat> before = folder.stat(file);
      if (before.isEmpty()) {
        return Optional.of(GONE);
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
                    why.equals(GONE) ? "" : known.name(),
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
        fault.get().equals(GONE)
            ? new Damage.DocumentMissing(folder, file, id)
            : new Damage.DocumentSpoiled(folder, file, id, fault.get()));
  }

  private void scrubPack(KeptCollection collection, Manifest.Pack pack) {
    String reason;
    try {
      PackLoading.Loaded loaded =
          PackLoading.load(disk, workers, checkpointer.packs(), pack, collection.incarnation());
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
