package dev.contextd.engine;

import java.util.List;
import java.util.Optional;

/** A collection as one caller sees it. */
record ScopedView(EmbeddedCollection collection, Scope scope) implements VectorCollection {

  @Override
  public CollectionInfo info() {
    return collection.info(scope);
  }

  @Override
  public long count() {
    return collection.count(scope);
  }

  @Override
  public Written upsert(List<NewDocument> documents) {
    return collection.upsert(documents, scope);
  }

  @Override
  public Optional<Document> get(String id) {
    return collection.get(List.of(id), scope).stream().findFirst();
  }

  @Override
  public List<Document> get(List<String> ids) {
    return collection.get(ids, scope);
  }

  @Override
  public Page page(Optional<String> after, int limit) {
    return collection.page(after, limit, scope);
  }

  @Override
  public int delete(List<String> ids) {
    return collection.delete(ids, scope);
  }

  @Override
  public int deleteWhere(Filter where) {
    return collection.deleteWhere(where, scope);
  }

  @Override
  public QueryResult query(Query query) {
    return collection.query(query, scope);
  }
}
