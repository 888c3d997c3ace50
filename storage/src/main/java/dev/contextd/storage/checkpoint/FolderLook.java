package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
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

  /**
   * What should be in a folder, at one moment.
   *
   * @param metadata of the collection's own file
   */
  record Expected(FileTable files, FileState metadata, KeptCollection.Underway underway) {
    static Expected of(KeptCollection kept, Lock catalog) {
      catalog.lock();
      try {
        KeptCollection.Underway underway = kept.underway();
        List<FileState> present =
            underway.changes().values().stream()
                .map(KeptCollection.Change::present)
                .filter(Objects::nonNull)
                .toList();
        FileTable files = kept.files(present.size());
        present.forEach(files::put);
        return new Expected(files, kept.metadataFile, underway);
      } finally {
        catalog.unlock();
      }
    }

    /** Whether nothing was underway, nor has been since: it holds of all the time in between. */
    boolean isStill(KeptCollection kept, Lock catalog) {
      catalog.lock();
      try {
        KeptCollection.Underway now = kept.underway();
        return underway.isNothing()
            && now.isNothing()
            && now.taken() == underway.taken()
            && kept.metadataFile.equals(metadata);
      } finally {
        catalog.unlock();
      }
    }

    private Set<Long> inFlux() {
      Set<Long> hashes = new HashSet<>();
      underway
          .changes()
          .forEach((id, change) -> {
            if (change.present() == null) {
              hashes.add(Long.parseLong(Names.hash(id), 16));
            }
          });
      return hashes;
    }
  }

  /** Of the folder of a collection that is known. */
  static FolderLook known(Disk.Listing found, Expected expected) {
    KeptCollection.Underway underway = expected.underway();
    FileState metadata = expected.metadata();
    FileTable files = expected.files();
    Set<Long> inFlux = expected.inFlux();
    BitSet missing = files.numbers();
    missing.andNot(found.asLeft());
    long print = 0;
    boolean isMetadataSeen = underway.metadata();
    for (Disk.Entry entry : found.entries()) {
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
      int number = files.number(key.getAsLong());
      boolean isAsLeft =
          number >= 0 && files.isUnchanged(number, entry.size(), entry.modifiedNanos());
      if (number >= 0) {
        missing.clear(number);
      }
      print += isAsLeft || inFlux.contains(key.getAsLong() >>> HASH_SHIFT) ? 0 : of(entry);
    }
    for (int number = missing.nextSetBit(0); number >= 0; number = missing.nextSetBit(number + 1)) {
      long key = files.key(number);
      print += inFlux.contains(key >>> HASH_SHIFT) ? 0 : mixed(key);
    }
    return new FolderLook(files.count(), isMetadataSeen ? print : print + GOLDEN);
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
