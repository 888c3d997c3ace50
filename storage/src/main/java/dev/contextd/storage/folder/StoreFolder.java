package dev.contextd.storage.folder;

import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/**
 * The root folder of a store, as it is written.
 *
 * <pre>
 * &lt;root&gt;/
 *   e9f85bf6/                       a collection, see {@link Names}
 *   .quarantine/                    see {@link Quarantine}
 *   .contextd/trash/                see {@link Trash}
 *   .contextd/collections/x.json    see {@link ModelRecord}
 *   .contextd/writable              written at every start, to learn whether the root can be
 * </pre>
 *
 * <p>Not safe for many threads: the caller holds the store's lock for what concerns the root.
 */
public final class StoreFolder {
  private final Disk disk;
  private final Path root;
  private final Trash trash;
  private final Quarantine quarantine;

  public StoreFolder(Disk disk, Path root, Clock clock) {
    this.disk = disk;
    this.root = root;
    this.trash = new Trash(disk, ours().resolve("trash"), clock);
    this.quarantine = new Quarantine(disk, root, clock);
  }

  public Path root() {
    return root;
  }

  public Quarantine quarantine() {
    return quarantine;
  }

  /** Creates the root where it is missing. */
  public void create() throws IOException {
    disk.createDirectories(root);
  }

  /**
   * Writes a file of ours, to learn whether the root can be written.
   *
   * @throws IOException where it cannot
   */
  public void probeWritable() throws IOException {
    disk.createDirectories(ours());
    if (disk.kind(ours()) != Disk.Kind.DIRECTORY) {
      throw new IOException(ours() + " must be a folder, not a link");
    }
    byte[] content = "contextd writes here\n".getBytes(StandardCharsets.US_ASCII);
    disk.replaceDurably(List.of(new Disk.Image(ours().resolve("writable"), content)));
  }

  /** The folder of a collection that was read. */
  public CollectionFolder open(IntactCollection intact) {
    return new CollectionFolder(disk, intact.folder(), intact.compression(), trash);
  }

  /**
   * Creates a collection: its folder, then its metadata file, durably. Where the folder's name is
   * taken, the next {@code <hash>-N} is used.
   *
   * @throws IOException where nothing was created
   */
  public CollectionFolder create(StoredCollection collection, Compression compression)
      throws IOException {
    Path path = freeFolder(collection.name());
    Path elderRecord = modelFile(String.valueOf(path.getFileName()));
    if (disk.exists(elderRecord)) {
      trash.moveFile(elderRecord); // of a namesake that was quarantined, or deleted by others
    }
    byte[] content = MetadataFormat.encode(collection, compression);
    Path file = path.resolve(Names.METADATA_HASH + compression.extension());
    try {
      disk.createDirectories(path);
      disk.replaceDurably(List.of(new Disk.Image(file, content)));
    } catch (IOException e) {
      disk.removeEmptyDirectory(path);
      throw e;
    }
    return new CollectionFolder(disk, path, compression, trash);
  }

  /** Moves a collection's folder to the trash, and the record of its model with it. */
  public void trash(CollectionFolder folder) throws IOException {
    Path record = modelFile(folder.name());
    if (!disk.exists(folder.path())) {
      if (disk.exists(record)) {
        trash.moveFile(record);
      }
      return; // Another program deleted it already.
    }
    if (!disk.exists(record)) {
      trash.moveFolder(folder.path());
      return;
    }
    Path kept = FreshName.in(disk, folder.path(), "embedding-model.json", "");
    disk.move(record, kept);
    try {
      trash.moveFolder(folder.path());
    } catch (IOException e) {
      new Trash.Moved(disk, List.of(record), List.of(kept)).undo(e);
      throw e;
    }
  }

  public Optional<ModelRecord> model(CollectionFolder folder) throws IOException {
    return ModelRecord.read(disk, modelFile(folder.name()));
  }

  public void recordModel(CollectionFolder folder, ModelRecord record) throws IOException {
    Path file = modelFile(folder.name());
    disk.createDirectories(file.resolveSibling(""));
    record.write(disk, file);
  }

  /**
   * The first folder of the name's hash that is free. One that holds this very collection, or may,
   * is not passed over: it would win over the new one when it can be read again.
   */
  private Path freeFolder(String name) throws IOException {
    String hash = Names.hash(name);
    for (int n = 0; n <= Names.MAX_NAMESAKES; n++) {
      Path path = root.resolve(Names.namesake(hash, n));
      if (!disk.exists(path)) {
        return path;
      }
      for (Compression kind : Compression.values()) {
        refuseIfSame(path.resolve(Names.METADATA_HASH + kind.extension()), name);
      }
    }
    throw new IOException("all " + Names.MAX_NAMESAKES + " folders of hash " + hash + " are taken");
  }

  private void refuseIfSame(Path metadata, String name) throws IOException {
    try {
      boolean isFile = disk.exists(metadata) && disk.kind(metadata) != Disk.Kind.DIRECTORY;
      if (isFile && MetadataFormat.decode(disk.read(metadata)).value().name().equals(name)) {
        throw new FileAlreadyExistsException(
            metadata.toString(), null, "it holds this collection and is not served; restart");
      }
    } catch (FormatException e) {
      // Nobody can read it, so it cannot come back as this collection.
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(
          metadata + " may hold this collection and could not be opened: " + e.getMessage(), e);
    }
  }

  private Path modelFile(String folder) {
    return ours().resolve("collections").resolve(folder + ".json");
  }

  private Path ours() {
    return root.resolve(Names.PRIVATE);
  }
}
