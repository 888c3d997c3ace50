package dev.contextd.storage.check;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The files of one folder, sorted into metadata, documents and the rest, with the metadata read and
 * the documents not yet.
 */
final class FolderFiles {
  final Path path;
  final String folder;
  final List<Disk.Entry> documents = new ArrayList<>();
  final List<Damage> damage = new ArrayList<>();
  private final List<Disk.Entry> metadataFiles = new ArrayList<>();

  /** Costs the collection only where no other metadata file can be read. */
  private final List<Damage> badMetadata = new ArrayList<>();

  private int unreadableEntries;

  /** The metadata that was read; null where there is none. */
  @Nullable Decoded<StoredCollection> metadata;

  Compression compression = Compression.PLAIN;
  String metadataFile = "";

  private FolderFiles(Path path, String folder) {
    this.path = path;
    this.folder = folder;
  }

  static FolderFiles read(Disk disk, Disk.Entry directory) {
    FolderFiles files = new FolderFiles(directory.path(), directory.name());
    try {
      disk.list(directory.path()).forEach(entry -> files.sort(disk, entry));
    } catch (IOException e) {
      files.damage.add(
          new Damage.Inaccessible(
              files.folder, "", StoreCheck.describe(e), Damage.Loss.COLLECTION));
      return files;
    }
    files.chooseCompression();
    files.readMetadata(disk);
    return files;
  }

  /** How many files in it belong to a collection, readable or not. */
  int count() {
    return metadataFiles.size() + documents.size() + unreadableEntries;
  }

  /** Whether the folder's name is one that the collection's name may have. */
  boolean isProven() {
    return metadata != null && Names.belongs(folder, metadata.hash());
  }

  Optional<String> name() {
    return Optional.ofNullable(metadata).map(read -> read.value().name());
  }

  private void sort(Disk disk, Disk.Entry entry) {
    Optional<Compression> kind = Compression.ofFileName(entry.name());
    boolean isMetadata =
        kind.isPresent() && kind.get().stem(entry.name()).equals(Names.METADATA_HASH);
    switch (entry.kind()) {
      case FILE -> {
        if (kind.isEmpty()) {
          leftover(
              entry, entry.name().endsWith(".tmp") ? "the temp file of a write" : "a stray file");
        } else if (isMetadata) {
          metadataFiles.add(entry);
        } else {
          documents.add(entry);
        }
      }
      case DIRECTORY -> {
        String what = "a folder where only files belong";
        if (kind.isPresent() && !isMetadata && Names.isHashed(kind.get().stem(entry.name()))) {
          unreadableEntries++;
          damage.add(inaccessible(entry, "it is " + what, Damage.Loss.DOCUMENT));
        } else {
          leftover(entry, what);
        }
      }
      case SYMBOLIC_LINK, OTHER -> {
        String what =
            entry.kind() == Disk.Kind.SYMBOLIC_LINK
                ? "a symbolic link, which is not followed"
                : "neither file nor folder";
        if (kind.isEmpty()) {
          leftover(entry, what);
        } else {
          unreadableEntries++;
          String reason = StoreCheck.hindrance(disk, entry).orElse("it is " + what);
          Damage.Loss loss = isMetadata ? Damage.Loss.COLLECTION : Damage.Loss.DOCUMENT;
          (isMetadata ? badMetadata : damage).add(inaccessible(entry, reason, loss));
        }
      }
    }
  }

  private Damage inaccessible(Disk.Entry entry, String reason, Damage.Loss loss) {
    return new Damage.Inaccessible(folder, entry.name(), reason, loss);
  }

  private void leftover(Disk.Entry entry, String what) {
    damage.add(new Damage.Leftover(folder, entry.name(), what));
  }

  /** A folder's own files decide how new ones are written; the metadata file first. */
  private void chooseCompression() {
    long zipped = documents.stream().filter(entry -> kindOf(entry) == Compression.GZIP).count();
    Compression majority =
        zipped > documents.size() - zipped ? Compression.GZIP : Compression.PLAIN;
    compression = metadataFiles.size() == 1 ? kindOf(metadataFiles.getFirst()) : majority;
    metadataFiles.sort(Comparator.comparing(entry -> kindOf(entry) != compression));
    Comparator<Disk.Entry> ownKindLast =
        Comparator.comparing(entry -> kindOf(entry) == compression);
    documents.sort(ownKindLast.thenComparing(Disk.Entry::name));
  }

  private static Compression kindOf(Disk.Entry entry) {
    return Compression.ofFileName(entry.name()).orElseThrow();
  }

  private void readMetadata(Disk disk) {
    for (Disk.Entry entry : metadataFiles) {
      if (metadata != null) {
        leftover(entry, "a second metadata file");
        continue;
      }
      try {
        Decoded<StoredCollection> read = MetadataFormat.decode(disk.read(entry.path()));
        metadata = read;
        metadataFile = entry.name();
        StoreCheck.noteReading(read, folder, entry.name(), damage);
      } catch (FormatException e) {
        badMetadata.add(new Damage.MetadataUnreadable(folder, entry.name(), e.reason()));
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        badMetadata.add(
            new Damage.Inaccessible(
                folder, entry.name(), StoreCheck.describe(e), Damage.Loss.COLLECTION));
      }
    }
    if (metadata == null) {
      damage.addAll(badMetadata);
      if (badMetadata.isEmpty() && !documents.isEmpty()) {
        damage.add(new Damage.MetadataMissing(folder, documents.size()));
      }
    } else {
      badMetadata.forEach(
          bad -> damage.add(new Damage.Leftover(folder, bad.file(), "a bad second metadata file")));
    }
  }
}
