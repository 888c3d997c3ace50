package dev.contextd.resilience.remote;

import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Filter;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Page;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.engine.Written;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The store here, of which a remote one is brought up to date: writes are acknowledged when they
 * are durable here, and refused where the remote store could never hold them, or too much waits for
 * it. Reads are answered from here, where everything is.
 */
public final class FallbackStore implements ShippedStore {
  private final VectorStore local;
  private final RemoteStore remote;
  private final RemoteSync sync;
  private final ReadFrom readFrom;

  /** Closing it closes neither of the stores. */
  public FallbackStore(VectorStore local, RemoteStore remote, RemoteSync sync, ReadFrom readFrom) {
    this.readFrom = readFrom;
    this.local = local;
    this.remote = remote;
    this.sync = sync;
  }

  @Override
  public Source source() {
    return new Source(
        readFrom.name().toLowerCase(Locale.ROOT),
        readFrom == ReadFrom.REMOTE ? sync.age(sync.status()) : Duration.ZERO);
  }

  private DocumentStore read() {
    return readFrom == ReadFrom.REMOTE ? remote : local;
  }

  private void requireShippable(String collection, List<NewDocument> documents) {
    sync.admission().requireShippable(collection, documents);
  }

  @Override
  public List<CollectionInfo> collections(Scope scope) {
    return read().collections(scope);
  }

  @Override
  public Optional<VectorCollection> collection(String name, Scope scope) {
    return read().collection(name, scope).map(found -> new Guarded(name, scope, found));
  }

  @Override
  public boolean create(String name, Map<String, String> metadata) {
    requireShippable(name, List.of());
    return local.create(name, metadata);
  }

  @Override
  public Written upsert(String name, List<NewDocument> documents, Scope scope) {
    requireShippable(name, documents);
    return local.upsert(name, documents, scope);
  }

  @Override
  public VectorCollection getOrCreate(String name, Scope scope) {
    requireShippable(name, List.of());
    return new Guarded(name, scope, local.getOrCreate(name, scope));
  }

  @Override
  public void delete(String name, Scope scope) {
    sync.admission().requireRoom();
    local.delete(name, scope);
  }

  @Override
  public void close() {
    // Both stores are closed by whoever opened them.
  }

  private final class Guarded implements VectorCollection {
    private final String name;
    private final Scope scope;
    private final VectorCollection found;

    Guarded(String name, Scope scope, VectorCollection found) {
      this.scope = scope;
      this.name = name;
      this.found = found;
    }

    /** Writes go here first, wherever reads come from. */
    private VectorCollection here() {
      return readFrom == ReadFrom.REMOTE
          ? local.collection(name, scope).orElseThrow(() -> Checks.notFound(name))
          : found;
    }

    @Override
    public CollectionInfo info() {
      return found.info();
    }

    @Override
    public long count() {
      return found.count();
    }

    @Override
    public Written upsert(List<NewDocument> documents) {
      requireShippable(name, documents);
      return here().upsert(documents);
    }

    @Override
    public Optional<Document> get(String id) {
      return found.get(id);
    }

    @Override
    public List<Document> get(List<String> ids) {
      return found.get(ids);
    }

    @Override
    public Page page(Optional<String> after, int limit) {
      return found.page(after, limit);
    }

    @Override
    public int delete(List<String> ids) {
      sync.admission().requireRoom();
      return here().delete(ids);
    }

    @Override
    public int deleteWhere(Filter where) {
      sync.admission().requireRoom();
      return here().deleteWhere(where);
    }

    @Override
    public QueryResult query(Query query) {
      return found.query(query);
    }
  }
}
