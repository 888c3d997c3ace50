package dev.contextd.storage.folder;

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
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * The root folder of a store, as it is written.
 *
 * <pre>
 * &lt;root&gt;/
 *   e9f85bf6/                       a collection, see {@link Names}
 *   .quarantine/                    see {@link Quarantine}
 *   .contextd/lock, owner.json      see {@link OwnerLock}
 *   .contextd/journal/              see {@link dev.contextd.storage.journal}
 *   .contextd/outbox/               see {@link dev.contextd.storage.outbox}
 *   .contextd/pending/              see {@link dev.contextd.storage.outbox.PendingLog}
 *   .contextd/packs/, manifest      see {@link dev.contextd.storage.pack}
 *   .contextd/trash/                see {@link Trash}
 *   .contextd/collections/x.json    see {@link ModelRecord}, {@link LostMetadata}
 *   .contextd/scrub.json            see {@link ScrubRecord}
 *   .contextd/audit.jsonl           see {@link AuditLog}
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
  private final AuditLog audit;

  public StoreFolder(Disk disk, Path root, Clock clock) {
    this.disk = disk;
    this.root = root;
    this.trash = new Trash(disk, ours().resolve(OwnNames.TRASH), clock);
    this.quarantine = new Quarantine(disk, root, clock);
    this.audit = new AuditLog(disk, ours(), clock);
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
   * Creates the folder of ours, {@code .contextd}, where it is missing.
   *
   * @throws IOException where it cannot be created, or is no folder
   */
  public void prepare() throws IOException {
    disk.createRealDirectory(ours());
  }

  /**
   * Moves aside what bears a name of ours and is not what bears it: a folder or a link in place of
   * a file, a file or a link in place of a folder. A link would lead our writes elsewhere.
   *
   * @throws IOException where it is still there
   */
  public void clearOwnNames() throws IOException {
    for (String file : OwnNames.FILES) {
      OwnNames.clear(disk, ours().resolve(file), Disk.Kind.FILE);
    }
    for (String directory : OwnNames.FOLDERS) {
      OwnNames.clear(disk, ours().resolve(directory), Disk.Kind.DIRECTORY);
    }
  }

  /**
   * Writes a file of ours, to learn whether the root can be written.
   *
   * @throws IOException where it cannot
   */
  public void probeWritable() throws IOException {
    byte[] content = "contextd writes here\n".getBytes(StandardCharsets.US_ASCII);
    disk.replaceDurably(List.of(new Disk.Image(ours().resolve(OwnNames.WRITABLE), content)));
  }

  /** A collection's folder. */
  public CollectionFolder open(String name, Compression compression) {
    return new CollectionFolder(disk, root.resolve(name), compression);
  }

  public Trash trash() {
    return trash;
  }

  public AuditLog audit() {
    return audit;
  }

  /**
   * What tells this store from every other one, wherever it is moved: a UUID, made when it is first
   * asked for.
   */
  public String identity() throws IOException {
    Optional<String> known = knownIdentity();
    if (known.isPresent()) {
      return known.get();
    }
    Path file = ours().resolve(OwnNames.IDENTITY);
    if (disk.kind(file) == Disk.Kind.FILE) {
      trash.moveDurably(file); // Whoever asks by the old one will be told of the new.
    }
    String id = UUID.randomUUID().toString();
    byte[] content =
        JsonFile.write(json -> {
          json.writeNumberField("version", 1);
          json.writeStringField("id", id);
        });
    disk.replaceDurably(List.of(new Disk.Image(file, content)));
    return id;
  }

  /** As {@link #identity}; empty where nobody has asked for it yet, or it cannot be read. */
  public Optional<String> knownIdentity() throws IOException {
    Path file = ours().resolve(OwnNames.IDENTITY);
    if (disk.kind(file) != Disk.Kind.FILE) {
      return Optional.empty();
    }
    try {
      String id = JsonFile.scalars(disk.read(file)).getOrDefault("id", "");
      return Optional.of(UUID.fromString(id).toString());
    } catch (FormatException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The folder of ours, {@code .contextd}. */
  public Path own() {
    return ours();
  }

  /** The folder of the journal's segments. */
  public Path journal() {
    return ours().resolve(OwnNames.JOURNAL);
  }

  /** The folder of what is still to be sent to a remote. */
  public Path outbox() {
    return ours().resolve(OwnNames.OUTBOX);
  }

  /** The folder of what is pending for a remote that holds the documents alone. */
  public Path pending() {
    return ours().resolve(OwnNames.PENDING);
  }

  /** The folder of the packs. */
  public Path packs() {
    return ours().resolve(OwnNames.PACKS);
  }

  /**
   * Creates a collection: its folder, then its metadata file, durably. Where the folder's name is
   * taken, the next {@code <hash>-N} is used.
   *
   * @param isKnown whether a folder is a collection's, whatever is left in it
   * @throws IOException where nothing was created
   */
  public CollectionFolder create(
      StoredCollection collection, Compression compression, Predicate<String> isKnown)
      throws IOException {
    Path path = freeFolder(collection.name(), isKnown);
    for (Path elder : records(String.valueOf(path.getFileName())).keySet()) {
      if (disk.exists(elder)) {
        trash.move(elder); // of a namesake that was quarantined, or deleted by others
      }
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
    return new CollectionFolder(disk, path, compression);
  }

  /**
   * Moves a collection's folder to the trash, and the record of its model with it; durable after
   * the disk's next sync of all.
   */
  public void trash(String folder) throws IOException {
    Path path = root.resolve(folder);
    // Another program may have deleted it already.
    Optional<Path> entry = disk.exists(path) ? Optional.of(trash.move(path)) : Optional.empty();
    for (var record : records(folder).entrySet()) {
      if (disk.exists(record.getKey()) && entry.isPresent()) {
        disk.moveLazily(record.getKey(), FreshName.in(disk, entry.get(), record.getValue(), ""));
      } else if (disk.exists(record.getKey())) {
        trash.move(record.getKey());
      }
    }
  }

  /** What is noted of a collection beside its folder, and its name in the trash. */
  private Map<Path, String> records(String folder) {
    return Map.of(
        modelFile(folder), "embedding-model.json", lostFile(folder), "lost-metadata.json");
  }

  public Optional<ModelRecord> model(CollectionFolder folder) throws IOException {
    return ModelRecord.read(disk, modelFile(folder.name()));
  }

  public void recordModel(CollectionFolder folder, ModelRecord record) throws IOException {
    Path file = modelFile(folder.name());
    disk.createRealDirectory(ours().resolve(OwnNames.MODELS));
    OwnNames.clear(disk, file, Disk.Kind.FILE);
    record.write(disk, file);
  }

  /** Whether a collection's own metadata is not known. */
  public Optional<LostMetadata> lostMetadata(CollectionFolder folder) throws IOException {
    return LostMetadata.read(disk, lostFile(folder.name()));
  }

  /** Notes, durably, that a collection's own metadata is not known. */
  public void recordLost(CollectionFolder folder, LostMetadata lost) throws IOException {
    Path file = lostFile(folder.name());
    disk.createRealDirectory(ours().resolve(OwnNames.MODELS));
    OwnNames.clear(disk, file, Disk.Kind.FILE);
    lost.write(disk, file);
  }

  /** The collection's metadata is known again, or what was lost does not matter any more. */
  public void clearLost(CollectionFolder folder) throws IOException {
    Path file = lostFile(folder.name());
    if (disk.exists(file)) {
      disk.remove(file);
      disk.syncNames(ours().resolve(OwnNames.MODELS));
    }
  }

  /**
   * The first folder of the name's hash that is free. One that holds this very collection, or may,
   * is not passed over: it would win over the new one when it can be read again.
   */
  private Path freeFolder(String name, Predicate<String> isKnown) throws IOException {
    String hash = Names.hash(name);
    for (int n = 0; n <= Names.MAX_NAMESAKES; n++) {
      String folder = Names.namesake(hash, n);
      Path path = root.resolve(folder);
      if (!disk.exists(path) || (!isKnown.test(folder) && isAbandoned(path))) {
        return path;
      }
      for (Compression kind : Compression.values()) {
        refuseIfSame(path.resolve(Names.METADATA_HASH + kind.extension()), name);
      }
    }
    throw new IOException("all " + Names.MAX_NAMESAKES + " folders of hash " + hash + " are taken");
  }

  /**
   * Whether a creation was cut short here: it left a folder, and the temp file of its metadata at
   * most. chromem-go opens no store in which one remains.
   */
  private boolean isAbandoned(Path path) throws IOException {
    return disk.kind(path) == Disk.Kind.DIRECTORY
        && disk.names(path).stream().allMatch(name -> name.endsWith(".tmp"));
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

  private Path lostFile(String folder) {
    return ours().resolve(OwnNames.MODELS).resolve(folder + ".lost.json");
  }

  private Path modelFile(String folder) {
    return ours().resolve(OwnNames.MODELS).resolve(folder + ".json");
  }

  private Path ours() {
    return root.resolve(Names.PRIVATE);
  }
}
