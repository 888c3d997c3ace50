package dev.contextd.engine;

import dev.contextd.engine.search.DotKernel;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.engine.search.RowTable;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.IntactCollection.IntactDocument;
import dev.contextd.storage.checkpoint.Examination;
import dev.contextd.storage.checkpoint.KeeperStatus;
import dev.contextd.storage.checkpoint.KeptCollection;
import dev.contextd.storage.checkpoint.LoadedCollection;
import dev.contextd.storage.checkpoint.ScrubPace;
import dev.contextd.storage.checkpoint.StoreKeeper;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Checksum;
import dev.contextd.storage.folder.GaveWay;
import dev.contextd.storage.folder.LostMetadata;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.folder.OwnerLock;
import dev.contextd.storage.folder.ScrubRecord;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.gob.StringMaps;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.PendingLog;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
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

  /** How often a write meets a deletion of its collection before it gives up. */
  private static final int MAX_TRIES = 1_000;

  /** From so many rows of one collection on the store is prepared before anybody asks for it. */
  private static final int WARM_UP_FROM_ROWS = 10_000;

  private final StoreFolder folder;
  private final StoreOptions options;
  private final StoreKeeper keeper;
  private final ExactSearch search;
  private final Map<String, EmbeddedCollection> collections = new ConcurrentHashMap<>();
  private final ReentrantLock structure = new ReentrantLock();
  private final CheckReport openReport;
  private volatile Map<String, OptionalLong> quarantined = Map.of();
  private volatile boolean closed;
  private volatile Optional<String> closeFailure = Optional.empty();

  private EmbeddedStore(StoreFolder folder, StoreOptions options, StoreKeeper keeper)
      throws IOException {
    this.folder = folder;
    this.options = options;
    this.keeper = keeper;
    this.search = new ExactSearch(DotKernel.best(), options.workers());
    List<EmbeddedCollection> opened = new ArrayList<>();
    this.openReport =
        keeper.load(options.names(), loaded -> opened.add(new EmbeddedCollection(this, loaded)));
    for (EmbeddedCollection collection : opened) {
      modelIfReadable(collection).ifPresent(found -> collection.noteModel(Optional.of(found)));
      noteLostMetadata(collection);
      collections.put(collection.name(), collection);
    }
    keeper.start();
    prepareAside(opened);
  }

  /** What the first query does without is done after it, or when none has come for a moment. */
  private void prepareAside(List<EmbeddedCollection> opened) {
    opened.stream()
        .max((a, b) -> Integer.compare(a.snapshot().count(), b.snapshot().count()))
        .filter(largest -> largest.snapshot().count() >= WARM_UP_FROM_ROWS)
        .map(largest -> largest.snapshot().dimension())
        .ifPresent(dimension ->
            search.afterFirst(() -> {
              if (!closed) {
                opened.forEach(EmbeddedCollection::prepare);
                search.warmUpAside(dimension);
              }
            }));
  }

  /** A record that cannot be read costs itself: what the manifest says of the model counts. */
  private Optional<ModelRecord> modelIfReadable(EmbeddedCollection collection) {
    try {
      return folder.model(collection.kept().folder()).or(collection.kept()::model);
    } catch (IOException e) {
      log.warn(
          "the record of the model of {} cannot be read: {}",
          collection.folderName(),
          e.toString());
      return collection.kept().model();
    }
  }

  /** A note that cannot be read is one all the same. */
  private void noteLostMetadata(EmbeddedCollection collection) {
    try {
      folder
          .lostMetadata(collection.kept().folder())
          .ifPresent(lost -> collection.noteLostMetadata(Optional.of(lost.why())));
    } catch (IOException e) {
      collection.noteLostMetadata(
          Optional.of("The note of what is lost cannot be read: " + e.getMessage() + "."));
    }
  }

  static EmbeddedStore open(Path root, StoreOptions options) throws IOException {
    StoreFolder folder = new StoreFolder(options.disk(), root, options.clock());
    if (!options.disk().exists(root)) {
      folder.create();
    }
    StoreKeeper keeper = take(folder, options);
    try {
      return new EmbeddedStore(folder, options, keeper);
    } catch (IOException | RuntimeException | Error e) {
      keeper.abandon();
      throw e;
    }
  }

  /** Made on first use, which is a write: it costs an opening a hundredth of a second. */
  private static final class Secure {
    static final SecureRandom RANDOM = new SecureRandom();
  }

  private static StoreKeeper take(StoreFolder folder, StoreOptions options) throws IOException {
    try {
      return StoreKeeper.open(
          folder,
          options.disk(),
          options.clock(),
          options.workers(),
          options.keeper(),
          () -> Secure.RANDOM.nextLong());
    } catch (OwnerLock.OwnedException e) {
      throw new StoreInUseException(e);
    }
  }

  @Override
  public CheckReport openReport() {
    return openReport;
  }

  @Override
  public Optional<String> readOnlyReason() {
    return keeper.readOnlyReason();
  }

  @Override
  public List<CollectionInfo> collections(Scope scope) {
    return served().stream()
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
        throw Checks.existsOtherwise(name);
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
    StoredCollection stored = new StoredCollection(name, StringMaps.copyOf(metadata));
    try {
      return new EmbeddedCollection(this, keeper.create(stored, compression));
    } catch (IOException e) {
      throw StoreException.ofDisk("creating the collection \"" + name + "\"", e);
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
    Batch batch = Batch.prepare(documents, scope, this::writableEmbedder);
    batch.requireDimension(0);
    for (int tries = 1; ; tries++) {
      try {
        return createAndUpsert(name, batch, scope);
      } catch (StoreException e) {
        // It was deleted between the two steps.
        if (e.code() != ErrorCode.COLLECTION_NOT_FOUND || tries == MAX_TRIES) {
          throw e;
        }
        awaitDeletion();
      }
    }
  }

  /** Whoever deletes a collection holds the lock until it is gone. */
  private void awaitDeletion() {
    structure.lock();
    try {
      log.debug("a write met the deletion of its collection and begins again");
    } finally {
      structure.unlock();
    }
  }

  private Written createAndUpsert(String name, Batch batch, Scope scope) {
    boolean isNew = !collections.containsKey(name);
    if (isNew) {
      Checks.newIds(batch.ids(), RowTable.EMPTY);
    }
    EmbeddedCollection collection = existingOrNew(name);
    try {
      return collection.writes().upsert(batch, scope);
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
        collection.writes().end(true, () -> collections.remove(collection.name(), collection));
      }
    } catch (StoreException e) {
      log.debug("the new collection {} stays: {}", collection.name(), e.getMessage());
    } finally {
      structure.unlock();
    }
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
    scope.requireAll();
    EmbeddedCollection collection;
    structure.lock();
    try {
      collection = collections.get(name);
      if (collection == null) {
        throw Checks.notFound(name);
      }
      requireWritable();
      EmbeddedCollection ended = collection;
      ended.writes().end(false, () -> collections.remove(name, ended));
    } finally {
      structure.unlock();
    }
    String why =
        "The collection \"%s\" of %d documents was deleted; the trash keeps it for its time."
            .formatted(name, collection.snapshot().count());
    folder
        .audit()
        .note(
            List.of(
                new AuditLog.Entry("deleted", collection.folderName(), "", why)
                    .withSums(Checksum.of(collection.contents().documents()), "")));
  }

  @Override
  public List<Damage> damage() {
    return collections.values().stream().flatMap(found -> found.damage().stream()).toList();
  }

  @Override
  public void forget(Damage damage) {
    byFolder(damage.folder()).ifPresent(collection -> collection.forget(damage));
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
  public byte[] export(ExportOptions exportOptions) {
    return Exports.encode(this, exportOptions);
  }

  @Override
  public Imported importFrom(Path file, Optional<byte[]> key) {
    return noted(Exports.read(this, options.disk(), file, key));
  }

  @Override
  public Imported importFrom(byte[] content, Optional<byte[]> key) {
    return noted(Exports.read(this, content, "what was sent", key));
  }

  private Imported noted(Imported imported) {
    String why =
        "%d documents of %d collections out of an export, %d refused."
            .formatted(imported.documents(), imported.collections(), imported.refused().size());
    folder.audit().note(List.of(new AuditLog.Entry("imported", "", "", why)));
    return imported;
  }

  @Override
  public String mend(Damage damage) {
    requireWritable();
    return byFolder(damage.folder()).map(collection -> collection.mend(damage)).orElse("");
  }

  @Override
  public Optional<String> collectionIn(String folderName) {
    return byFolder(folderName).map(EmbeddedCollection::name);
  }

  @Override
  public String checksum(String collection) {
    EmbeddedCollection served = collections.get(collection);
    return served == null ? "" : Checksum.of(served.contents().documents());
  }

  @Override
  public int replace(Contents contents) {
    return Restoring.replace(this, contents);
  }

  @Override
  public void putBack(String collection, List<StoredDocument> documents) {
    Restoring.putBack(requireServed(collection), documents);
    checkpoint();
  }

  @Override
  public List<Contents> contents() {
    return served().stream().map(EmbeddedCollection::contents).toList();
  }

  @Override
  public Merged merge(IntactCollection found, boolean keepsBoth) {
    return Merging.merge(this, found, keepsBoth);
  }

  EmbeddedCollection requireServed(String name) {
    EmbeddedCollection collection = collections.get(name);
    if (collection == null) {
      throw Checks.notFound(name);
    }
    return collection;
  }

  /** Notes, durably, that a collection was restored without its own metadata. */
  void noteLost(EmbeddedCollection collection, String why) throws IOException {
    folder.recordLost(collection.kept().folder(), new LostMetadata(collection.name(), why));
    collection.noteLostMetadata(Optional.of(why));
  }

  @Override
  public void settleMetadata(String name, Optional<Map<String, String>> metadata) {
    metadata.ifPresent(given -> Checks.metadata(given, "collection"));
    structure.lock();
    try {
      requireWritable();
      EmbeddedCollection collection = requireServed(name);
      if (collection.lostMetadata().isEmpty()) {
        throw Checks.invalid("the metadata of the collection \"" + name + "\" is known");
      }
      StoredCollection stored =
          metadata
              .map(given -> new StoredCollection(name, StringMaps.copyOf(given)))
              .orElseGet(collection::stored);
      keeper.settleMetadata(
          collection.kept(), stored, () -> collection.noteLostMetadata(Optional.empty()));
    } catch (IOException e) {
      throw StoreException.ofDisk("writing the metadata of the collection \"" + name + "\"", e);
    } finally {
      structure.unlock();
    }
  }

  @Override
  public List<Damage> scrub(ScrubPace pace) {
    return keeper.scrub(pace);
  }

  @Override
  public boolean scrub(ScrubPace pace, Consumer<List<Damage>> found) {
    return keeper.scrub(pace, found);
  }

  @Override
  public ScrubRecord scrubbed() {
    return keeper.scrubbed();
  }

  @Override
  public Examination examine(Optional<Set<String>> touched) throws IOException {
    return keeper.examine(touched);
  }

  @Override
  public void forgetExamined(Set<String> folders) {
    keeper.forgetExamined(folders);
  }

  @Override
  public void adopt(IntactCollection found) {
    requireWritable();
    String folderName = String.valueOf(found.folder().getFileName());
    Optional<EmbeddedCollection> ours = byFolder(folderName);
    if (ours.isPresent()) {
      new Adoption(this, ours.get()).of(found);
    } else if (found.known().isEmpty()) {
      adoptNew(found);
    }
  }

  Optional<EmbeddedCollection> byFolder(String folderName) {
    return collections.values().stream()
        .filter(collection -> collection.folderName().equals(folderName))
        .findFirst();
  }

  private void adoptNew(IntactCollection found) {
    structure.lock();
    try {
      requireWritable();
      String name = found.collection().name();
      if (collections.containsKey(name)) {
        throw Checks.invalid("the collection \"" + name + "\" is served from another folder");
      }
      KeptCollection kept = keeper.adoptable(found);
      EmbeddedCollection adopted =
          new EmbeddedCollection(
              this,
              new LoadedCollection(
                  kept,
                  found.dimension(),
                  List.of(),
                  found.documents().stream().map(IntactDocument::document).toList(),
                  found.damage()));
      keeper.adopt(kept, () -> collections.put(name, adopted));
    } catch (IOException e) {
      throw StoreException.ofDisk("adopting the folder " + found.folder().getFileName(), e);
    } finally {
      structure.unlock();
    }
  }

  @Override
  public void vanished(Damage.CollectionVanished found) {
    structure.lock();
    try {
      requireWritable();
      EmbeddedCollection gone = byFolder(found.folder()).orElse(null);
      if (gone != null && keeper.isGone(gone.kept())) {
        gone.writes().vanish(() -> collections.remove(gone.name(), gone));
      }
    } catch (IOException e) {
      throw StoreException.ofDisk("keeping the collection \"" + found.name() + "\"", e);
    } finally {
      structure.unlock();
    }
  }

  @Override
  public void noteDamage(String folderName, List<Damage> found) {
    byFolder(folderName).ifPresent(collection -> collection.writes().noteDamage(found));
  }

  @Override
  public void refuseWrites(String reason) {
    keeper.refuseWrites(reason);
  }

  @Override
  public void checkpoint() {
    requireWritable();
    try {
      keeper.checkpoint();
    } catch (IOException e) {
      throw StoreException.ofDisk("a checkpoint", e);
    }
  }

  @Override
  public void announce(String address) {
    keeper.announce(address);
  }

  @Override
  public KeeperStatus durability() {
    return keeper.status();
  }

  @Override
  public Optional<Outbox> outbox() {
    return keeper.outbox();
  }

  @Override
  public PendingLog openPending(Duration keep) throws IOException {
    return keeper.openPending(keep);
  }

  @Override
  public Outbox.Look lookAtOutbox() {
    try {
      return keeper.lookAtOutbox();
    } catch (IOException e) {
      throw StoreException.ofDisk("looking at the outbox", e);
    }
  }

  @Override
  public void keepForeign(
      StoredCollection collection, GaveWay how, List<StoredDocument> documents) {
    try {
      keeper.keepForeign(collection, how, documents);
    } catch (IOException e) {
      throw StoreException.ofDisk("keeping documents of \"" + collection.name() + "\"", e);
    }
  }

  @Override
  public Conflicts conflicts() {
    return RemoteConflicts.list(keeper.trash(), options.disk(), options.keeper().retention());
  }

  @Override
  public List<TrashEntry> trash() {
    return Restoring.list(this);
  }

  @Override
  public int restore(String entry) {
    int restored = Restoring.restore(this, options.disk(), entry);
    String why = "%d documents came back out of the trash, %s.".formatted(restored, entry);
    folder.audit().note(List.of(new AuditLog.Entry("restored", "", "", why)));
    return restored;
  }

  @Override
  public int purge(Duration olderThan) {
    requireWritable();
    try {
      int purged = keeper.purge(olderThan);
      String why = "%d entries of the trash of at least %s.".formatted(purged, olderThan);
      folder.audit().note(List.of(new AuditLog.Entry("purged", "", "", why)));
      return purged;
    } catch (IOException e) {
      throw StoreException.ofDisk("purging the trash", e);
    }
  }

  @Override
  public void close() {
    structure.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      search.noteUse();
      keeper.close();
    } catch (IOException e) {
      closeFailure = Optional.of(String.valueOf(e.getMessage()));
      log.error("the journal could not be emptied; the next start goes on from there", e);
    } finally {
      structure.unlock();
    }
  }

  @Override
  public Optional<String> closeFailure() {
    return closeFailure;
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

  StoreKeeper keeper() {
    return keeper;
  }

  ExactSearch search() {
    return search;
  }

  StoreFolder folder() {
    return folder;
  }

  List<EmbeddedCollection> served() {
    return collections.values().stream().sorted((a, b) -> a.name().compareTo(b.name())).toList();
  }

  /** Asked for before a text is embedded, which may take a while. */
  Embedder writableEmbedder() {
    requireWritable();
    return embedder();
  }

  /**
   * @throws StoreException where text cannot be embedded
   */
  Embedder embedder() {
    return Checks.embedder(options.embedder());
  }

  Optional<Embedder> embedderIfAny() {
    return options.embedder();
  }

  void requireWritable() {
    if (closed) {
      throw new StoreException(ErrorCode.CLOSED, "the store is shutting down; try again later");
    }
    Checks.writable(keeper.readOnlyReason());
  }
}
