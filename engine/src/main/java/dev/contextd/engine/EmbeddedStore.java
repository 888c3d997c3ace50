package dev.contextd.engine;

import dev.contextd.engine.search.DotKernel;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.FolderReport;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.StoreFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The store over one folder.
 *
 * <p>Invariants: {@link #collections} holds exactly what is served; a collection is created and
 * deleted on disk before it appears and disappears here, both under {@link #structure}. A
 * collection's own lock is only ever taken inside that one, never the other way round.
 */
final class EmbeddedStore implements VectorStore {
  private final StoreFolder folder;
  private final StoreOptions options;
  private final ExactSearch search;
  private final Map<String, EmbeddedCollection> collections = new ConcurrentHashMap<>();
  private final ReentrantLock structure = new ReentrantLock();
  private final CheckReport openReport;
  private final Optional<String> readOnlyReason;
  private volatile Map<String, OptionalLong> quarantined = Map.of();
  private volatile boolean closed;

  private EmbeddedStore(StoreFolder folder, StoreOptions options) throws IOException {
    this.folder = folder;
    this.options = options;
    this.search = new ExactSearch(DotKernel.best(), options.pool());
    this.readOnlyReason = probe(folder);
    StoreCheck check = new StoreCheck(options.disk(), options.pool());
    List<EmbeddedCollection> opened = new ArrayList<>();
    this.openReport =
        check.check(
            folder.root(),
            intact -> opened.add(new EmbeddedCollection(this, intact, folder.open(intact))));
    Map<String, FolderReport> reports = new HashMap<>();
    openReport.folders().forEach(report -> reports.put(report.folder(), report));
    for (EmbeddedCollection collection : opened) {
      FolderReport report = reports.get(collection.folderName());
      collection.noteDamage(report == null ? List.of() : report.damage());
      collection.noteModel(folder.model(collection.folder()));
      collections.put(collection.name(), collection);
    }
  }

  static EmbeddedStore open(Path root, StoreOptions options) throws IOException {
    StoreFolder folder = new StoreFolder(options.disk(), root, options.clock());
    if (!Files.isDirectory(root)) {
      folder.create();
    }
    return new EmbeddedStore(folder, options);
  }

  private static Optional<String> probe(StoreFolder folder) {
    try {
      folder.probeWritable();
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public CheckReport openReport() {
    return openReport;
  }

  @Override
  public Optional<String> readOnlyReason() {
    return readOnlyReason;
  }

  @Override
  public List<CollectionInfo> collections(Scope scope) {
    return collections.values().stream()
        .sorted(Comparator.comparing(EmbeddedCollection::name))
        .flatMap(collection -> collection.infoUnlessDeleted(scope).stream())
        .toList();
  }

  @Override
  public Optional<VectorCollection> collection(String name, Scope scope) {
    return Optional.ofNullable(collections.get(name)).map(found -> new ScopedView(found, scope));
  }

  @Override
  public boolean create(String name, Map<String, String> metadata) {
    Checks.name(name);
    Checks.metadata(metadata, "collection");
    structure.lock();
    try {
      EmbeddedCollection existing = collections.get(name);
      if (existing != null) {
        if (existing.metadata().equals(metadata)) {
          return false;
        }
        throw new StoreException(
            ErrorCode.COLLECTION_EXISTS,
            "the collection \"" + name + "\" exists with other metadata; delete it first");
      }
      requireWritable();
      collections.put(name, createOnDisk(name, metadata));
      return true;
    } finally {
      structure.unlock();
    }
  }

  private EmbeddedCollection createOnDisk(String name, Map<String, String> metadata) {
    Compression compression = options.compress() ? Compression.GZIP : Compression.PLAIN;
    StoredCollection stored = new StoredCollection(name, Map.copyOf(metadata));
    try {
      CollectionFolder created = folder.create(stored, compression);
      return new EmbeddedCollection(this, stored, created);
    } catch (IOException e) {
      throw failed("creating the collection \"" + name + "\"", e);
    }
  }

  @Override
  public VectorCollection getOrCreate(String name, Scope scope) {
    return new ScopedView(existingOrNew(name), scope);
  }

  @Override
  public Written upsert(String name, List<NewDocument> documents, Scope scope) {
    Checks.name(name);
    Batch batch = Batch.prepare(documents, scope, this);
    batch.requireDimension(0);
    return existingOrNew(name).upsert(batch, scope);
  }

  private EmbeddedCollection existingOrNew(String name) {
    EmbeddedCollection existing = collections.get(name);
    if (existing != null) {
      return existing;
    }
    structure.lock();
    try {
      if (!collections.containsKey(name)) {
        create(name, Map.of());
      }
      return Objects.requireNonNull(collections.get(name));
    } finally {
      structure.unlock();
    }
  }

  @Override
  public void delete(String name, Scope scope) {
    if (!scope.isAll()) {
      throw new StoreException(
          ErrorCode.FORBIDDEN,
          "a collection is shared between tenants and cannot be deleted by one of them");
    }
    structure.lock();
    try {
      EmbeddedCollection collection = collections.get(name);
      if (collection == null) {
        throw notFound(name);
      }
      requireWritable();
      collection.deleteWith(() -> {
        folder.trash(collection.folder());
        collections.remove(name);
      });
    } finally {
      structure.unlock();
    }
  }

  @Override
  public List<Damage> damage() {
    return collections.values().stream().flatMap(found -> found.damage().stream()).toList();
  }

  @Override
  public void forget(Damage damage) {
    collections.values().stream()
        .filter(collection -> collection.folderName().equals(damage.folder()))
        .forEach(collection -> collection.forget(damage));
  }

  @Override
  public void quarantined(Map<String, OptionalLong> elder) {
    quarantined = Map.copyOf(elder);
  }

  @Override
  public void exportTo(Path file, ExportOptions exportOptions) {
    Exports.write(this, options.disk(), file, exportOptions);
  }

  @Override
  public Imported importFrom(Path file, Optional<byte[]> key) {
    return Exports.read(this, options.disk(), file, key);
  }

  @Override
  public void close() {
    structure.lock();
    try {
      closed = true;
      collections.values().forEach(EmbeddedCollection::awaitWrites);
    } finally {
      structure.unlock();
    }
  }

  /**
   * Documents that lie in quarantine and came from the collection's folder, or from the folder that
   * its name's hash would have; empty where the number is not known.
   */
  OptionalLong quarantinedOf(EmbeddedCollection collection) {
    Set<String> folders = new TreeSet<>(List.of(collection.folderName()));
    folders.add(Names.hash(collection.name()));
    long sum = 0;
    for (String from : folders) {
      OptionalLong count = quarantined.getOrDefault(from, OptionalLong.of(0));
      if (count.isEmpty()) {
        return count;
      }
      sum += count.getAsLong();
    }
    return OptionalLong.of(sum);
  }

  ExactSearch search() {
    return search;
  }

  StoreFolder folder() {
    return folder;
  }

  List<EmbeddedCollection> served() {
    return collections.values().stream()
        .sorted(Comparator.comparing(EmbeddedCollection::name))
        .toList();
  }

  /**
   * @throws StoreException where text cannot be embedded
   */
  Embedder embedder() {
    return options
        .embedder()
        .orElseThrow(() ->
            new StoreException(
                ErrorCode.NO_EMBEDDER,
                "text needs an embedding provider and none is configured; send \"embedding\","
                    + " or set embeddings.provider"));
  }

  Optional<Embedder> embedderIfAny() {
    return options.embedder();
  }

  void requireWritable() {
    if (closed) {
      throw new StoreException(ErrorCode.CLOSED, "the store is shutting down; try again later");
    }
    if (readOnlyReason.isPresent()) {
      throw new StoreException(
          ErrorCode.READ_ONLY,
          "the store is served read-only, because its folder cannot be written: "
              + readOnlyReason.get()
              + "; mend that and restart");
    }
  }

  static StoreException notFound(String name) {
    return new StoreException(
        ErrorCode.COLLECTION_NOT_FOUND, "there is no collection \"" + name + "\"");
  }

  static StoreException failed(String what, IOException e) {
    @Nullable String reason = e.getMessage();
    boolean isFull =
        reason != null
            && (reason.contains("No space left on device")
                || reason.contains("Disk quota exceeded"));
    if (isFull) {
      return new StoreException(
          ErrorCode.STORAGE_FULL,
          what + " failed and changed nothing: the disk is full; free some space and try again",
          e);
    }
    String outcome =
        e instanceof Disk.UndoFailedException ? " failed halfway: " : " failed, nothing changed: ";
    String cause = e instanceof NoSuchFileException ? "not found: " + reason : reason;
    return new StoreException(ErrorCode.STORAGE_FAILED, what + outcome + cause, e);
  }
}
