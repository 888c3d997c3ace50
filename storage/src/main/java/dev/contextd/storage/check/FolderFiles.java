package dev.contextd.storage.check;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
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

  /** By name, but for those that are {@link #asLeft}. */
  final List<Disk.Entry> documents = new ArrayList<>();

  /** Numbers of known files that were seen to be as they were left. */
  BitSet asLeft = new BitSet();

  /** Whether all files that we know were seen so at once: none is told by its number then. */
  boolean isAllAsLeft;

  /** How many known files are as they were left. */
  int leftFiles;

  final List<Damage> damage = new ArrayList<>();
  private final List<Disk.Entry> metadataFiles = new ArrayList<>();

  /** Costs the collection only where no other metadata file can be read. */
  private final List<Damage> badMetadata = new ArrayList<>();

  private int unreadableEntries;

  /** Files of documents in a folder that was not looked into. */
  private int settledDocuments;

  /** The metadata that was read; null where there is none. */
  @Nullable Decoded<StoredCollection> metadata;

  Compression compression = Compression.PLAIN;
  String metadataFile = "";

  /** What we know of the folder; null where it is new to us. */
  final @Nullable KnownFolder known;

  /** The metadata file as it stands, where it was read. */
  Optional<FileState> metadataState = Optional.empty();

  /** Whether the metadata file says what we know, but was written since by somebody else. */
  boolean isRewritten;

  /** Whether the folder is one we know and could not be listed. */
  boolean isUnreadable;

  private FolderFiles(Path path, String folder, @Nullable KnownFolder known) {
    this.path = path;
    this.folder = folder;
    this.known = known;
  }

  static FolderFiles read(Disk disk, Disk.Entry directory, @Nullable KnownFolder known) {
    FolderFiles files = new FolderFiles(directory.path(), directory.name(), known);
    try {
      files.list(disk);
    } catch (IOException e) {
      files.noteUnreadable(StoreCheck.describe(e));
      return files;
    }
    files.chooseCompression();
    if (known == null) {
      files.readMetadata(disk);
    } else {
      files.readKnownMetadata(disk, known);
    }
    return files;
  }

  private void list(Disk disk) throws IOException {
    KnownFolder from = known;
    Optional<Disk.Entry> metadata = from == null ? Optional.empty() : from.metadataAsLeft(path);
    if (from != null && metadata.isPresent()) {
      isAllAsLeft = true;
      leftFiles = from.files();
      sort(disk, metadata.get());
      return;
    }
    Disk.Listing listing = disk.list(path, from == null ? Disk.Left.NONE : from);
    asLeft = listing.asLeft();
    leftFiles = asLeft.cardinality();
    listing.entries().forEach(entry -> sort(disk, entry));
  }

  /** What we know is served without a look into the folder. */
  private void noteUnreadable(String reason) {
    if (known == null) {
      damage.add(new Damage.Inaccessible(folder, "", reason, Damage.Loss.COLLECTION));
      return;
    }
    StoredCollection ours = known.collection();
    metadata = new Decoded<>(ours, Names.hash(ours.name()), true, 0);
    isUnreadable = true;
    damage.add(new Damage.FolderUnreadable(folder, ours.name(), reason));
  }

  /** A folder that was judged before and has not changed since: its claim alone counts. */
  static FolderFiles settled(Disk.Entry directory, FolderReport report) {
    FolderFiles files = new FolderFiles(directory.path(), directory.name(), null);
    files.settledDocuments = report.documentFiles();
    report
        .name()
        .ifPresent(name ->
            files.metadata =
                new Decoded<>(new StoredCollection(name, null), Names.hash(name), true, 0));
    report.damage().stream().filter(found -> !isClaim(found)).forEach(files.damage::add);
    return files;
  }

  /** Whether the folder lost its collection's name, and nothing else keeps it from being served. */
  boolean isNameless() {
    return metadata == null
        && known == null
        && damage.stream().anyMatch(FolderFiles::isLostName)
        && damage.stream()
            .allMatch(found -> isLostName(found) || found.loss() != Damage.Loss.COLLECTION);
  }

  private static boolean isLostName(Damage damage) {
    return damage instanceof Damage.MetadataMissing || damage instanceof Damage.MetadataUnreadable;
  }

  /** The collection is served under a name that the folder's own proves. */
  void take(ProvenName found) {
    List<Damage> lost = damage.stream().filter(FolderFiles::isLostName).toList();
    damage.removeAll(lost);
    Damage first = lost.getFirst();
    String reason =
        first instanceof Damage.MetadataUnreadable bad
            ? "cannot be read: " + bad.reason()
            : "is missing beside " + documents.size() + " documents";
    damage.add(
        new Damage.MetadataUnknown(folder, first.file(), found.name(), found.source(), reason));
    lost.stream().skip(1).forEach(this::leaveSecond);
    metadata =
        new Decoded<>(new StoredCollection(found.name(), null), Names.hash(found.name()), true, 0);
  }

  private void leaveSecond(Damage bad) {
    damage.add(new Damage.Leftover(folder, bad.file(), "a bad second metadata file"));
  }

  private static boolean isClaim(Damage damage) {
    return damage instanceof Damage.MetadataMisplaced
        || damage instanceof Damage.NameAmbiguous
        || damage instanceof Damage.NameClaimedTwice;
  }

  /** How many files in it belong to a collection, readable or not. */
  int count() {
    return settledDocuments > 0
        ? settledDocuments + 1
        : metadataFiles.size() + documentFiles() + unreadableEntries;
  }

  /** How many files a document may be in. */
  int documentFiles() {
    return Math.max(settledDocuments, documents.size() + leftFiles);
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
        if (isOfKnown(entry)) {
          leftover(entry, what);
        } else if (kind.isPresent()
            && !isMetadata
            && Names.isHashed(kind.get().stem(entry.name()))) {
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
        if (kind.isEmpty() || isOfKnown(entry)) {
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

  /** What we know of belongs here, so it is missing, and is judged so. */
  private boolean isOfKnown(Disk.Entry entry) {
    return known != null && known.file(entry.name()) != null;
  }

  private Damage inaccessible(Disk.Entry entry, String reason, Damage.Loss loss) {
    return new Damage.Inaccessible(folder, entry.name(), reason, loss);
  }

  private void leftover(Disk.Entry entry, String what) {
    damage.add(new Damage.Leftover(folder, entry.name(), what));
  }

  /** A folder's own files decide how new ones are written; the metadata file first. */
  private void chooseCompression() {
    compression =
        metadataFiles.size() == 1 ? kindOf(metadataFiles.getFirst()) : majorityOfDocuments();
    metadataFiles.sort(
        (a, b) -> Boolean.compare(kindOf(a) != compression, kindOf(b) != compression));
  }

  private Compression majorityOfDocuments() {
    KnownFolder from = known;
    long zipped = documents.stream().filter(entry -> kindOf(entry) == Compression.GZIP).count();
    if (from != null) {
      zipped += asLeft.stream().filter(number -> from.file(number).state().isZipped()).count();
    }
    return zipped > documentFiles() - zipped ? Compression.GZIP : Compression.PLAIN;
  }

  /**
   * Entries in the order in which they are judged: by name, those of the folder's own kind last.
   */
  List<Disk.Entry> ownKindLast(List<Disk.Entry> byName) {
    List<Disk.Entry> own = new ArrayList<>(byName.size());
    List<Disk.Entry> ordered = new ArrayList<>(byName.size());
    byName.forEach(entry -> (kindOf(entry) == compression ? own : ordered).add(entry));
    ordered.addAll(own);
    return ordered;
  }

  private static Compression kindOf(Disk.Entry entry) {
    return Compression.ofFileName(entry.name()).orElseThrow();
  }

  private Decoded<StoredCollection> decode(Disk disk, Disk.Entry entry)
      throws IOException, FormatException {
    byte[] content = disk.read(entry.path());
    Decoded<StoredCollection> read = MetadataFormat.decode(content);
    metadataFile = entry.name();
    metadataState =
        Optional.of(FileState.of(entry.name(), entry.size(), entry.modifiedNanos(), content));
    return read;
  }

  /**
   * We know the collection, so its metadata file is right, or damaged and to be written again, or
   * that of another collection which another program put there.
   */
  private void readKnownMetadata(Disk disk, KnownFolder from) {
    StoredCollection ours = from.collection();
    metadata = new Decoded<>(ours, Names.hash(ours.name()), true, 0);
    Disk.Entry entry = metadataFiles.isEmpty() ? null : metadataFiles.getFirst();
    if (entry == null) {
      String why = badMetadata.isEmpty() ? "is gone" : "cannot be read";
      damage.add(
          new Damage.MetadataSpoiled(
              folder,
              badMetadata.isEmpty() ? "" : badMetadata.getFirst().file(),
              ours.name(),
              why));
      return;
    }
    metadataFiles.stream().skip(1).forEach(second -> leftover(second, "a second metadata file"));
    if (from.isMetadataUnchanged(entry)) {
      metadataFile = entry.name();
      return;
    }
    try {
      Decoded<StoredCollection> found = decode(disk, entry);
      if (isSame(found.value(), ours)) {
        isRewritten = from.isSamePlace();
      } else if (Names.belongs(folder, found.hash())) {
        metadata = found; // Another program created another collection of this hash, or anew.
        isRewritten = true;
      } else {
        metadataState = Optional.empty();
        damage.add(
            new Damage.MetadataSpoiled(
                folder,
                entry.name(),
                ours.name(),
                "names the collection \"" + found.value().name() + "\" of another folder"));
      }
    } catch (FormatException e) {
      damage.add(
          new Damage.MetadataSpoiled(
              folder, entry.name(), ours.name(), "cannot be read: " + e.reason()));
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      damage.add(
          new Damage.Inaccessible(
              folder, entry.name(), StoreCheck.describe(e), Damage.Loss.NOTHING));
    }
  }

  private static boolean isSame(StoredCollection a, StoredCollection b) {
    return a.name().equals(b.name()) && a.metadataOrEmpty().equals(b.metadataOrEmpty());
  }

  private void readMetadata(Disk disk) {
    for (Disk.Entry entry : metadataFiles) {
      if (metadata != null) {
        leftover(entry, "a second metadata file");
        continue;
      }
      try {
        Decoded<StoredCollection> read = decode(disk, entry);
        metadata = read;
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
      badMetadata.forEach(this::leaveSecond);
    }
  }
}
