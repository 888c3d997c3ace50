package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.journal.JournalReplay;
import dev.contextd.storage.pack.PackReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells which folder the writes of a journal belong to where both manifests are lost.
 *
 * <p>The proof is in the packs: they bear the number of their collection, and of each document the
 * name, size and time of its file. The one folder that holds such a file, to the nanosecond, is the
 * collection's, unless another number can say the same of it.
 */
final class LostCatalog {
  private static final Logger log = LoggerFactory.getLogger(LostCatalog.class);

  private final Disk disk;
  private final StoreFolder folder;

  /**
   * A collection's folder.
   *
   * @param newest the time of the last change of the files of each hash, in nanoseconds since 1970
   */
  record Place(
      String folder, StoredCollection stored, Compression compression, Map<String, Long> newest) {}

  LostCatalog(Disk disk, StoreFolder folder) {
    this.disk = disk;
    this.folder = folder;
  }

  /** The folders of collections, by number; those that cannot be proven are left out. */
  Map<Long, Place> places(Set<Long> incarnations) throws IOException {
    Map<Long, Set<FileState>> files = filesInPacks(incarnations);
    Map<Long, List<Disk.Entry>> claims = new HashMap<>();
    if (!files.isEmpty()) {
      for (Disk.Entry entry : disk.list(folder.root())) {
        if (entry.kind() == Disk.Kind.DIRECTORY && !entry.name().startsWith(".")) {
          List<Long> claimants = claimants(entry, files);
          if (claimants.size() == 1) {
            claims.computeIfAbsent(claimants.getFirst(), _ -> new ArrayList<>()).add(entry);
          }
        }
      }
    }
    Map<Long, Place> places = new HashMap<>();
    claims.forEach((incarnation, entries) -> {
      if (entries.size() == 1) {
        place(entries.getFirst()).ifPresent(place -> places.put(incarnation, place));
      }
    });
    return places;
  }

  private Map<Long, Set<FileState>> filesInPacks(Set<Long> incarnations) throws IOException {
    Map<Long, Set<FileState>> files = new HashMap<>();
    if (disk.kind(folder.packs()) != Disk.Kind.DIRECTORY) {
      return files;
    }
    for (Disk.Entry entry : disk.list(folder.packs())) {
      try (PackReader reader = PackReader.open(disk, entry.path())) {
        if (incarnations.contains(reader.incarnation())) {
          Set<FileState> known = files.computeIfAbsent(reader.incarnation(), _ -> new HashSet<>());
          reader.readBodies(
              0,
              reader.rows(),
              (_, body) -> {
                if (body != null) {
                  known.add(body.file());
                }
              });
        }
      } catch (IOException | FormatException e) {
        log.debug("{} proves nothing: {}", entry.name(), e.toString());
      }
    }
    return files;
  }

  /** The numbers whose packs know any file of a folder as it is. */
  private List<Long> claimants(Disk.Entry directory, Map<Long, Set<FileState>> files) {
    Map<Long, Disk.Entry> byKey = new HashMap<>();
    for (Disk.Entry entry : listed(directory)) {
      OptionalLong key = FileState.key(entry.name());
      if (key.isPresent()) {
        byKey.put(key.getAsLong(), entry);
      }
    }
    return files.entrySet().stream()
        .filter(known ->
            known.getValue().stream().anyMatch(state -> isThere(state, byKey.get(state.key()))))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static boolean isThere(FileState state, Disk.@Nullable Entry entry) {
    return entry != null && state.isUnchanged(entry.size(), entry.modifiedNanos());
  }

  private List<Disk.Entry> listed(Disk.Entry directory) {
    try {
      return disk.list(directory.path());
    } catch (IOException e) {
      return List.of();
    }
  }

  private Optional<Place> place(Disk.Entry directory) {
    Map<String, Long> newest = new HashMap<>();
    Optional<StoredCollection> stored = Optional.empty();
    Compression compression = Compression.PLAIN;
    for (Disk.Entry entry : listed(directory)) {
      Optional<Compression> kind = Compression.ofFileName(entry.name());
      if (kind.isPresent() && kind.get().stem(entry.name()).equals(Names.METADATA_HASH)) {
        compression = kind.get();
        stored = metadata(directory, entry);
      } else if (FileState.key(entry.name()).isPresent()) {
        String hash = entry.name().substring(0, Names.METADATA_HASH.length());
        newest.merge(hash, entry.modifiedNanos(), Math::max);
      }
    }
    Compression kind = compression;
    return stored.map(found -> new Place(directory.name(), found, kind, newest));
  }

  private Optional<StoredCollection> metadata(Disk.Entry directory, Disk.Entry file) {
    try {
      Decoded<StoredCollection> found = MetadataFormat.decode(disk.read(file.path()));
      return Optional.of(found)
          .filter(read -> Names.belongs(directory.name(), read.hash()))
          .map(Decoded::value);
    } catch (IOException | FormatException e) {
      log.debug("{} names no collection: {}", directory.name(), e.toString());
      return Optional.empty();
    }
  }

  /** When the journal was written to last, in nanoseconds since 1970. */
  static long lastWrite(Disk disk, List<JournalReplay.SegmentFile> segments) throws IOException {
    long last = 0;
    for (JournalReplay.SegmentFile segment : segments) {
      last =
          Math.max(last, disk.stat(segment.file()).map(FileCalls.Stat::modifiedNanos).orElse(0L));
    }
    return last;
  }
}
