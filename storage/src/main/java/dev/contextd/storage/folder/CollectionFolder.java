package dev.contextd.storage.folder;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The folder of one collection, as its gob files are written.
 *
 * <p>What is written here is atomic, and durable after the disk's next {@link Disk#syncAll}.
 */
public final class CollectionFolder {
  private final Disk disk;
  private final Path path;
  private final Compression compression;

  CollectionFolder(Disk disk, Path path, Compression compression) {
    this.disk = disk;
    this.path = path;
    this.compression = compression;
  }

  /** The folder's name below the root. */
  public String name() {
    return String.valueOf(path.getFileName());
  }

  public Path path() {
    return path;
  }

  public Compression compression() {
    return compression;
  }

  /** The file of a document whose hash no other document shares. */
  public String defaultFile(String id) {
    return Names.hash(id) + compression.extension();
  }

  /** What is known of a file now; empty where there is none. */
  public Optional<FileCalls.Stat> stat(String file) throws IOException {
    return disk.stat(path.resolve(file));
  }

  /** Writes a document over an older version of it. */
  public FileState replace(StoredDocument document, String file) throws IOException {
    return write(file, DocumentFormat.encode(document, kindOf(file)));
  }

  /**
   * Writes a document under a name that is free.
   *
   * @throws java.nio.file.FileAlreadyExistsException where it is not
   */
  public FileState create(StoredDocument document, String file) throws IOException {
    byte[] content = DocumentFormat.encode(document, kindOf(file));
    return state(file, content, disk.createLazily(new Disk.Image(path.resolve(file), content)));
  }

  /** Writes the metadata file. */
  public FileState write(StoredCollection collection) throws IOException {
    return write(metadataFile(), MetadataFormat.encode(collection, compression));
  }

  public String metadataFile() {
    return Names.METADATA_HASH + compression.extension();
  }

  private FileState write(String file, byte[] content) throws IOException {
    return state(file, content, disk.replaceLazily(new Disk.Image(path.resolve(file), content)));
  }

  private static FileState state(String file, byte[] content, FileCalls.Stat stat) {
    return FileState.of(file, stat.size(), stat.modifiedNanos(), content);
  }

  private Compression kindOf(String file) {
    return Compression.ofFileName(file).orElse(compression);
  }

  /** The documents' files that are there, by {@link FileState#key}, in order. */
  public long[] fileKeys() throws IOException {
    return disk.names(path).stream()
        .map(FileState::key)
        .filter(OptionalLong::isPresent)
        .mapToLong(OptionalLong::getAsLong)
        .sorted()
        .toArray();
  }

  /** Whether a file can be read and holds another document that its name belongs to. */
  public boolean holdsAnother(String file, String id) {
    try {
      return decoded(file)
          .filter(found -> !found.value().id().equals(id) && file.startsWith(found.hash()))
          .isPresent();
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Whether a file holds a version of the document.
   *
   * @throws IOException where it cannot be opened, which says nothing about its content
   */
  public boolean holds(String file, String id) throws IOException {
    return decoded(file)
        .filter(found -> found.hash().equals(Names.hash(id)) && found.value().id().equals(id))
        .isPresent();
  }

  /** The document in a file; none where it is no file, or nobody can read it as a document. */
  private Optional<Decoded<StoredDocument>> decoded(String file) throws IOException {
    if (disk.kind(path.resolve(file)) != Disk.Kind.FILE) {
      return Optional.empty();
    }
    try {
      return Optional.of(DocumentFormat.decode(disk.read(path.resolve(file))));
    } catch (FormatException e) {
      return Optional.empty();
    }
  }
}
