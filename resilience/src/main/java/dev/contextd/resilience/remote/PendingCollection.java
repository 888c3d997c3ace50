package dev.contextd.resilience.remote;

import dev.contextd.engine.Batch;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Filter;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Page;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.Written;
import java.util.List;
import java.util.Optional;

/** A collection of a {@link PendingStore}, as one caller sees it. */
final class PendingCollection implements VectorCollection {
  private final PendingStore store;
  private final String name;
  private final Scope scope;
  private final PendingWrites writes;

  PendingCollection(PendingStore store, String name, Scope scope) {
    this.store = store;
    this.name = name;
    this.scope = scope;
    this.writes = new PendingWrites(store, name, scope);
  }

  /** Each call sees what waits at its beginning. */
  private PendingReads reads() {
    return new PendingReads(store, name, scope, store.view());
  }

  @Override
  public CollectionInfo info() {
    return reads().info();
  }

  @Override
  public long count() {
    return reads().count();
  }

  @Override
  public Written upsert(List<NewDocument> documents) {
    store.sync().admission().requireShippable(name, documents);
    return writes.upsert(Batch.prepare(documents, scope, store::embedder), false);
  }

  @Override
  public Optional<Document> get(String id) {
    return get(List.of(id)).stream().findFirst();
  }

  @Override
  public List<Document> get(List<String> ids) {
    return reads().get(ids);
  }

  @Override
  public Page page(Optional<String> after, int limit) {
    return reads().page(after, limit);
  }

  @Override
  public int delete(List<String> ids) {
    store.sync().admission().requireRoom();
    return writes.delete(ids);
  }

  @Override
  public int deleteWhere(Filter where) {
    store.sync().admission().requireRoom();
    return writes.deleteWhere(where);
  }

  @Override
  public QueryResult query(Query query) {
    EmbeddedText target = reads().embedded(query);
    return reads().query(query, target);
  }
}
