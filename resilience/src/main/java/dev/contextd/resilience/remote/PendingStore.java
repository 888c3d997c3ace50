package dev.contextd.resilience.remote;

import dev.contextd.engine.Batch;
import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.engine.Written;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.outbox.KnownCollection;
import dev.contextd.storage.outbox.PendingLog;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * A remote store that holds the documents alone, with the writes here that it has not got yet:
 * those are acknowledged when they are durable here. Reads are answered by the remote store with
 * all that waits laid over it, or by the remote store as it is.
 *
 * <p>A write is accepted where it can be shipped by all that is known here, or that the remote
 * store tells; where neither tells, it is refused as unavailable.
 */
public final class PendingStore implements ShippedStore {
  private final PendingBacklog backlog;
  private final RemoteStore remote;
  private final RemoteSync sync;
  private final Optional<Embedder> embedder;
  private final ReadFrom readFrom;

  private PendingStore(
      RemoteContext context,
      Function<GuardedRemote, PendingBacklog> backlog,
      Optional<Embedder> embedder) {
    AtomicReference<PendingBacklog> made = new AtomicReference<>();
    this.sync = new RemoteSync(context, guard -> made.updateAndGet(_ -> backlog.apply(guard)));
    this.backlog = Objects.requireNonNull(made.get());
    this.remote = context.remote();
    this.embedder = embedder;
    this.readFrom = context.options().readFrom();
  }

  /**
   * Prepares it; shipping begins when {@link #sync} is started. Closing it closes nothing.
   *
   * @param local keeps what gives way on the remote store
   * @param embedder turns texts into vectors; the caller closes it
   * @param note what whoever looks at it should know
   */
  public static PendingStore open(
      PendingLog log,
      VectorStore local,
      RemoteContext context,
      Optional<Embedder> embedder,
      Optional<String> note) {
    return new PendingStore(
        context, guard -> new PendingBacklog(log, local, context.remote(), guard, note), embedder);
  }

  @Override
  public Source source() {
    return new Source(
        readFrom.name().toLowerCase(Locale.ROOT),
        readFrom == ReadFrom.REMOTE ? sync.age(sync.status()) : Duration.ZERO);
  }

  PendingBacklog backlog() {
    return backlog;
  }

  RemoteStore remote() {
    return remote;
  }

  /** What brings the remote store up to date. */
  public RemoteSync sync() {
    return sync;
  }

  Embedder embedder() {
    return Checks.embedder(embedder);
  }

  /** What is laid over the remote store for readers. */
  PendingView view() {
    return readFrom == ReadFrom.REMOTE ? PendingView.EMPTY : backlog.view();
  }

  /** Whether a reader is answered from what waits where the remote store is away. */
  boolean answersAlone(StoreException e) {
    return readFrom != ReadFrom.REMOTE && e.code() == ErrorCode.REMOTE_UNAVAILABLE;
  }

  Optional<KnownCollection> find(String name) {
    return backlog.find(name, sync.shipping());
  }

  @Override
  public List<CollectionInfo> collections(Scope scope) {
    PendingView view = view();
    Map<String, CollectionInfo> infos = new TreeMap<>();
    for (CollectionInfo info : sync.guard().call(() -> remote.collections(scope))) {
      infos.put(info.name(), info);
    }
    for (String name : view.names()) {
      infos.remove(name);
      view.part(name)
          .filter(PendingView.Part::exists)
          .ifPresent(part -> infos.put(name, new PendingReads(this, name, scope, view).info()));
    }
    return List.copyOf(infos.values());
  }

  @Override
  public Optional<VectorCollection> collection(String name, Scope scope) {
    PendingView view = view();
    Optional<PendingView.Part> part = view.part(name);
    boolean isThere = part.isPresent() ? part.get().exists() : isOnRemote(name);
    return isThere ? Optional.of(new PendingCollection(this, name, scope)) : Optional.empty();
  }

  private boolean isOnRemote(String name) {
    try {
      return backlog.isOnRemote(name);
    } catch (StoreException e) {
      if (answersAlone(e) && backlog.known(backlog.view(), name).isPresent()) {
        return true;
      }
      throw e;
    }
  }

  @Override
  public boolean create(String name, Map<String, String> metadata) {
    Checks.name(name);
    Checks.metadata(metadata, "collection");
    sync.admission().requireShippable(name, List.of());
    find(name);
    return backlog.write(
        doing("creating", name),
        head -> {
          Optional<KnownCollection> present = backlog.known(head, name);
          if (present.isEmpty()) {
            return List.of(backlog.prepare(name, created(name, metadata)));
          }
          if (!present.get().metadata().equals(metadata)) {
            throw Checks.existsOtherwise(name);
          }
          return List.of();
        });
  }

  static JournalRecord created(String name, Map<String, String> metadata) {
    return new JournalRecord.Created(0, "", name, Map.copyOf(metadata), Compression.PLAIN);
  }

  static String doing(String what, String name) {
    return what + " the collection \"" + name + "\"";
  }

  @Override
  public Written upsert(String name, List<NewDocument> documents, Scope scope) {
    sync.admission().requireShippable(name, documents);
    Batch batch = Batch.prepare(documents, scope, this::embedder);
    return new PendingWrites(this, name, scope).upsert(batch, true);
  }

  @Override
  public VectorCollection getOrCreate(String name, Scope scope) {
    try {
      create(name, Map.of());
    } catch (StoreException e) {
      if (e.code() != ErrorCode.COLLECTION_EXISTS) {
        throw e;
      }
    }
    return new PendingCollection(this, name, scope);
  }

  @Override
  public void delete(String name, Scope scope) {
    scope.requireAll();
    sync.admission().requireRoom();
    find(name);
    backlog.write(
        doing("deleting", name),
        head -> {
          KnownCollection present =
              backlog.known(head, name).orElseThrow(() -> Checks.notFound(name));
          PendingWrites.requireOurs(name, present);
          return List.of(backlog.prepare(name, new JournalRecord.Dropped(0)));
        });
  }

  @Override
  public void close() {
    // All of it is closed by whoever opened it.
  }
}
