package dev.contextd.engine;

import dev.contextd.engine.search.DotKernel;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.engine.search.RowTable;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.folder.StoreFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store over one folder.
 *
 * <p>Invariants: {@link #collections} holds exactly what is served; a collection is created and
 * deleted on disk before it appears and disappears here, both under {@link #structure}. A
 * collection's own lock is only ever taken inside that one, never the other way round.
 */
final class EmbeddedStore implements VectorStore {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedStore.class);

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
    for (EmbeddedCollection collection : opened) {
      collection.noteModel(modelIfReadable(collection.folder()));
      collections.put(collection.name(), collection);
    }
  }

  /** A record that cannot be read costs itself: the model is then assumed, as for a Go folder. */
  private Optional<ModelRecord> modelIfReadable(CollectionFolder of) {
    try {
      return folder.model(of);
    } catch (IOException e) {
      log.warn("the record of the model of {} cannot be read: {}", of.name(), e.toString());
      return Optional.empty();
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
      // A full disk is no read-only one: each write says so, until there is space again.
      return isFull(e) ? Optional.empty() : Optional.of(String.valueOf(e.getMessage()));
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
      Checks.name(name);
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
    if (!collections.containsKey(name)) {
      Checks.name(name);
    }
    Batch batch = Batch.prepare(documents, scope, this);
    batch.requireDimension(0);
    try {
      return createAndUpsert(name, batch, scope);
    } catch (StoreException e) {
      if (e.code() != ErrorCode.COLLECTION_NOT_FOUND) {
        throw e;
      }
      return createAndUpsert(name, batch, scope); // It was deleted between the two steps.
    }
  }

  private Written createAndUpsert(String name, Batch batch, Scope scope) {
    boolean isNew = !collections.containsKey(name);
    if (isNew) {
      Checks.newIds(batch.ids(), RowTable.EMPTY);
    }
    EmbeddedCollection collection = existingOrNew(name);
    try {
      return collection.upsert(batch, scope);
    } catch (StoreException e) {
      if (isNew) {
        discardIfEmpty(collection);
      }
      throw e;
    }
  }

  /** A write that failed leaves no empty collection behind that nobody asked for. */
  private void discardIfEmpty(EmbeddedCollection collection) {
    structure.lock();
    try {
      if (collections.get(collection.name()) == collection) {
        collection.deleteWith(() -> {
          if (collection.snapshot().count() == 0) {
            remove(collection);
          } else {
            throw new IOException("others wrote to it meanwhile");
          }
        });
      }
    } catch (StoreException e) {
      log.debug("the new collection {} stays: {}", collection.name(), e.getMessage());
    } finally {
      structure.unlock();
    }
  }

  private void remove(EmbeddedCollection collection) throws IOException {
    folder.trash(collection.folder());
    collections.remove(collection.name());
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
      collection.deleteWith(() -> remove(collection));
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

  private static boolean isFull(IOException e) {
    @Nullable String reason = e.getMessage();
    return reason != null
        && (reason.contains("No space left on device") || reason.contains("Disk quota exceeded"));
  }

  static StoreException failed(String what, IOException e) {
    @Nullable String reason = e.getMessage();
    if (isFull(e)) {
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
