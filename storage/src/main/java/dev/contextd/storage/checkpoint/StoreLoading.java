package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.LostMetadata;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.journal.JournalReplay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds the folders of a store against what is known of it, and settles what is served of each. */
final class StoreLoading {
  private static final Logger log = LoggerFactory.getLogger(StoreLoading.class);

  private final StoreOpening known;
  private final Checkpointer checkpointer;
  private final Disk disk;
  private final StoreFolder folder;
  private final boolean isWritable;
  private final LoadedCollection.Sink sink;
  private Optional<String> blocked = Optional.empty();

  /**
   * @param isWritable whether what is settled may be carried out
   */
  StoreLoading(
      StoreOpening known,
      Disk disk,
      StoreFolder folder,
      boolean isWritable,
      LoadedCollection.Sink sink) {
    this.known = known;
    this.checkpointer = known.checkpointer;
    this.disk = disk;
    this.folder = folder;
    this.isWritable = isWritable;
    this.sink = sink;
  }

  /** Something to be done before anything else. */
  @FunctionalInterface
  interface First {
    void run() throws IOException;
  }

  /**
   * Judges the folders, and settles what is served of each.
   *
   * @param first runs when all is settled, and none of it durable yet: afterwards nothing tells any
   *     more that it is new
   */
  CheckReport run(StoreCheck check, First first) throws IOException {
    Set<String> found = new HashSet<>();
    boolean[] isNew = {followRenamed()};
    CheckReport report;
    try {
      report =
          check.check(
              folder.root(),
              known,
              intact -> {
                String name = String.valueOf(intact.folder().getFileName());
                found.add(name);
                isNew[0] |= intact.known().isEmpty();
                sink.accept(settle(intact));
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    List<Damage> vanished = new ArrayList<>();
    for (KnownCollection collection : known.byFolder.values()) {
      String name = collection.kept().folder().name();
      if (found.contains(name)) {
        continue;
      }
      if (isGone(collection)) {
        settleMissing(collection, vanished);
      } else {
        keepUnserved(collection);
      }
    }
    known.byFolder.values().forEach(KnownCollection::judged);
    known.deleted.forEach(checkpointer::drop);
    first.run();
    if (isWritable && isNew[0]) {
      disk.syncAll(folder.root()); // Whoever wrote these files may not have.
      // A write may name a collection only when its incarnation is on disk.
      checkpointer.writeManifest(false);
    }
    if (vanished.isEmpty()) {
      return report;
    }
    List<Damage> stray = new ArrayList<>(report.stray());
    stray.addAll(vanished);
    return new CheckReport(report.folders(), stray, report.files());
  }

  /**
   * A folder that somebody renamed is told by the name of the collection in it.
   *
   * @return whether any was
   */
  private boolean followRenamed() throws IOException {
    Map<String, KnownCollection> missing = new HashMap<>();
    for (KnownCollection collection : known.byFolder.values()) {
      if (isGone(collection)) {
        missing.put(collection.kept().stored().name(), collection);
      }
    }
    Map<String, KeptCollection> gone = new HashMap<>();
    for (KeptCollection elder : known.deleted) {
      if (!disk.exists(elder.folder().path())) {
        gone.put(elder.stored().name(), elder);
      }
    }
    boolean any = false;
    if (missing.isEmpty() && gone.isEmpty()) {
      return any;
    }
    for (Disk.Entry entry : disk.list(folder.root())) {
      boolean isStranger =
          entry.kind() == Disk.Kind.DIRECTORY
              && !entry.name().startsWith(".")
              && !known.byFolder.containsKey(entry.name())
              && !known.isDeleted(entry.name());
      String name = isStranger ? nameIn(entry) : "";
      KeptCollection elder = gone.remove(name);
      if (elder != null && !missing.containsKey(name)) {
        elder.folder(folder.open(entry.name(), elder.folder().compression()));
        known.deletedFolders.add(entry.name()); // Deleted, and renamed before it was in the trash.
        continue;
      }
      KnownCollection renamed = missing.remove(name);
      if (renamed != null) {
        KeptCollection kept = renamed.kept();
        known.byFolder.remove(kept.folder().name());
        kept.folder(folder.open(entry.name(), kept.folder().compression()));
        known.byFolder.put(entry.name(), renamed);
        any = true;
      }
    }
    return any;
  }

  /** The name of the collection in a folder; empty where it cannot be read. */
  private String nameIn(Disk.Entry directory) {
    for (Compression kind : Compression.values()) {
      try {
        Path file = directory.path().resolve(Names.METADATA_HASH + kind.extension());
        if (disk.exists(file)) {
          return MetadataFormat.decode(disk.read(file)).value().name();
        }
      } catch (IOException | FormatException e) {
        log.debug("{} names no collection: {}", directory.name(), e.toString());
      }
    }
    return "";
  }

  /** What we know of a folder that is not served stays known; its writes must not be cut. */
  private void keepUnserved(KnownCollection collection) {
    checkpointer.add(collection.kept());
    if (!collection.lastVersions().isEmpty()) {
      blocked =
          Optional.of(
              "the folder "
                  + collection.kept().folder().name()
                  + " cannot be served, and writes to it wait in the journal");
    }
  }

  /** Why nothing may be written, found while the folders were judged. */
  Optional<String> blocked() {
    return blocked;
  }

  /** A folder that is there and is not served, as where it cannot be listed, is not gone. */
  private boolean isGone(KnownCollection collection) {
    try {
      return !disk.exists(collection.kept().folder().path());
    } catch (IOException e) {
      return false;
    }
  }

  private LoadedCollection settle(IntactCollection intact) {
    KnownCollection collection = known.byFolder.get(String.valueOf(intact.folder().getFileName()));
    if (collection == null) {
      checkpointer.noteForeign(); // Or a creation that a crash cut short: no record tells of it.
      collection = new KnownCollection(checkpointer.newlyFound(intact), known.isSamePlace);
    }
    KeptCollection kept = collection.kept();
    if (intact.unreadable().isPresent()) {
      return settleUnread(collection, intact.unreadable().get(), intact);
    }
    if (isChangedByOthers(collection, intact)) {
      checkpointer.noteForeign();
    }
    kept.stored(intact.collection());
    intact.metadataFile().ifPresent(state -> kept.metadataFile = state);
    noteLost(kept, intact);
    LoadedCollection loaded = new Settlement(collection, folder.trash(), checkpointer).of(intact);
    checkpointer.add(kept);
    return loaded;
  }

  /** Metadata that are not known now are nobody's change. */
  private static boolean isChangedByOthers(KnownCollection collection, IntactCollection intact) {
    return !intact
            .collection()
            .metadataOrEmpty()
            .equals(collection.kept().stored().metadataOrEmpty())
        && intact.damage().stream().noneMatch(Damage.MetadataUnknown.class::isInstance);
  }

  /** Noted before the manifest names the collection, which would else seem to be known whole. */
  private void noteLost(KeptCollection kept, IntactCollection intact) {
    for (Damage found : intact.damage()) {
      if (isWritable && found instanceof Damage.MetadataUnknown lost) {
        try {
          folder.recordLost(kept.folder(), new LostMetadata(lost.name(), lost.sentence()));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  /** The folder is there and cannot be listed: nothing is written to it, nor moved out of it. */
  private LoadedCollection settleUnread(
      KnownCollection collection, String reason, IntactCollection intact) {
    KeptCollection kept = collection.kept();
    kept.unreadable(reason);
    checkpointer.hold(
        known.replay.entries().stream()
            .map(JournalReplay.Entry::record)
            .filter(record -> record.incarnation() == kept.incarnation())
            .toList());
    checkpointer.add(kept);
    return new Settlement(collection, folder.trash(), checkpointer).ofUnreadFolder(intact);
  }

  /** The folder of a collection is gone: deleted by another program, or never made durable. */
  private void settleMissing(KnownCollection collection, List<Damage> vanished) throws IOException {
    KeptCollection kept = collection.kept();
    boolean hasAcknowledgedWrites =
        !collection.lastVersions().isEmpty() || !kept.metadataFile.isSeen();
    if (!hasAcknowledgedWrites) {
      vanished.add(
          new Damage.CollectionVanished(
              kept.folder().name(), kept.stored().name(), kept.copies().size()));
      new Settlement(collection, folder.trash(), checkpointer).keepAll();
      return;
    }
    if (isWritable) {
      disk.createDirectories(kept.folder().path());
    }
    kept.rewriteMetadata();
    LoadedCollection loaded =
        new Settlement(collection, folder.trash(), checkpointer).ofMissingFolder();
    checkpointer.add(kept);
    sink.accept(loaded);
  }
}
