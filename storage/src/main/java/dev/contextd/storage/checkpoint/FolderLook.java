package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.Lock;

/**
 * A first look at a folder beside writers: one listing, against what should be there. It never
 * finds a folder unchanged that is not; what it finds changed may only have been written meanwhile.
 *
 * @param files documents that should be in the folder, or that are where nothing is known of it
 * @param print 0 where all is as it was left; else a number that two lists of differences share
 *     only if they are alike
 */
record FolderLook(int files, long print) {
  /** A 64-bit mixer's multiplier: the fractional part of the golden ratio. */
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private static final int HASH_SHIFT = 17;

  /** Of a folder that nobody knows. */
  static FolderLook unknown(List<Disk.Entry> entries) {
    long print = GOLDEN;
    for (Disk.Entry entry : entries) {
      print += of(entry);
    }
    return new FolderLook(entries.size(), print);
  }

  /** Of the folder of a collection, after it was listed. */
  static FolderLook known(KeptCollection kept, List<Disk.Entry> entries, Lock catalog) {
    Map<Long, FileState> expected;
    FileState metadata;
    KeptCollection.Underway underway;
    Set<Long> inFlux = new HashSet<>();
    catalog.lock();
    try {
      underway = kept.underway();
      metadata = kept.metadataFile;
      expected = HashMap.newHashMap(kept.copies().size());
      kept.copies().values().forEach(copy -> expected.put(copy.file().key(), copy.file()));
    } finally {
      catalog.unlock();
    }
    underway
        .changes()
        .forEach((id, change) -> {
          FileState present = change.present();
          if (present == null) {
            inFlux.add(Long.parseLong(Names.hash(id), 16));
          } else {
            expected.put(present.key(), present);
          }
        });
    int files = expected.size();
    long print = 0;
    boolean isMetadataSeen = underway.metadata();
    for (Disk.Entry entry : entries) {
      OptionalLong key = FileState.key(entry.name());
      if (key.isEmpty() || entry.kind() != Disk.Kind.FILE) {
        boolean isOurTemp = !underway.isNothing() && isTemp(entry);
        print += isOurTemp ? 0 : of(entry);
        continue;
      }
      if (key.getAsLong() == metadata.key() && isMetadata(entry)) {
        boolean isAsLeft = metadata.isUnchanged(entry.size(), entry.modifiedNanos());
        isMetadataSeen = true;
        print += isAsLeft || underway.metadata() ? 0 : of(entry);
        continue;
      }
      FileState state = expected.remove(key.getAsLong());
      boolean isAsLeft = state != null && state.isUnchanged(entry.size(), entry.modifiedNanos());
      print += isAsLeft || inFlux.contains(key.getAsLong() >>> HASH_SHIFT) ? 0 : of(entry);
    }
    for (long missing : expected.keySet()) {
      print += inFlux.contains(missing >>> HASH_SHIFT) ? 0 : mixed(missing);
    }
    return new FolderLook(files, isMetadataSeen ? print : print + GOLDEN);
  }

  private static boolean isTemp(Disk.Entry entry) {
    return entry.kind() == Disk.Kind.FILE && entry.name().endsWith(".tmp");
  }

  private static boolean isMetadata(Disk.Entry entry) {
    return Compression.ofFileName(entry.name())
        .filter(kind -> kind.stem(entry.name()).equals(Names.METADATA_HASH))
        .isPresent();
  }

  private static long of(Disk.Entry entry) {
    long name = mixed(entry.name().hashCode() + ((long) entry.kind().name().hashCode() << 32));
    return mixed(name ^ mixed(entry.size() ^ mixed(entry.modifiedNanos())));
  }

  /** Sums of mixed numbers do not depend on their order. */
  private static long mixed(long value) {
    long mixed = (value + 1) * GOLDEN;
    mixed = (mixed ^ (mixed >>> 32)) * GOLDEN;
    return mixed ^ (mixed >>> 29);
  }
}
