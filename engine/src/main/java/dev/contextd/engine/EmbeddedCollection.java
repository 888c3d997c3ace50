package dev.contextd.engine;

import dev.contextd.engine.QueryResult.Coverage;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.engine.search.Row;
import dev.contextd.engine.search.RowTable;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.ModelRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One collection: its documents in memory, its folder, its lock.
 *
 * <p>Invariants: memory changes after the disk did, so that what a reader sees is on disk, and what
 * failed is in neither; one writer at a time holds {@link #lock}; readers take a {@link Snapshot}
 * and no lock. Once {@link #deleted} is set no call succeeds.
 */
final class EmbeddedCollection {
  private final EmbeddedStore store;
  private final StoredCollection stored;
  private final CollectionFolder folder;
  private final RowTable table = new RowTable();
  private final UnservedFiles unserved = new UnservedFiles();
  private final CollectionFiles files;
  private final ReentrantLock lock = new ReentrantLock();
  private final CollectionModel model;
  private volatile boolean deleted;

  EmbeddedCollection(EmbeddedStore store, StoredCollection stored, CollectionFolder folder) {
    this.store = store;
    this.stored = stored;
    this.folder = folder;
    this.files = new CollectionFiles(folder, unserved);
    this.model = new CollectionModel(store, folder, stored.name());
  }

  EmbeddedCollection(EmbeddedStore store, IntactCollection intact, CollectionFolder folder) {
    this(store, intact.collection(), folder);
    unserved.add(intact.damage());
    table.load(
        intact.dimension(),
        intact.documents().stream()
            .map(found ->
                new RowTable.Put(
                    found.document().id(),
                    found.document().content(),
                    orEmpty(found.document().metadata()),
                    files.remembered(found.document().id(), found.file()),
                    found.document().embedding()))
            .toList());
  }

  void noteModel(Optional<ModelRecord> record) {
    model.found(record);
  }

  String name() {
    return stored.name();
  }

  Map<String, String> metadata() {
    return orEmpty(stored.metadata());
  }

  CollectionFolder folder() {
    return folder;
  }

  String folderName() {
    return folder.name();
  }

  StoredCollection stored() {
    return stored;
  }

  Snapshot snapshot() {
    return table.snapshot();
  }

  List<Damage> damage() {
    return unserved.all();
  }

  void forget(Damage damage) {
    unserved.remove(damage);
  }

  CollectionInfo info(Scope scope) {
    return infoUnlessDeleted(scope).orElseThrow(() -> EmbeddedStore.notFound(name()));
  }

  /** For a list of collections, in which one that is deleted meanwhile is left out. */
  Optional<CollectionInfo> infoUnlessDeleted(Scope scope) {
    return deleted ? Optional.empty() : Optional.of(info(table.snapshot(), scope));
  }

  private CollectionInfo info(Snapshot snapshot, Scope scope) {
    return new CollectionInfo(
        name(),
        folderName(),
        metadata(),
        count(snapshot, scope),
        snapshot.dimension() == 0 ? OptionalInt.empty() : OptionalInt.of(snapshot.dimension()),
        model.info(snapshot),
        unserved.documents());
  }

  long count(Scope scope) {
    return count(read(), scope);
  }

  Written upsert(List<NewDocument> documents, Scope scope) {
    return upsert(Batch.prepare(documents, scope, store), scope);
  }

  Written upsert(Batch batch, Scope scope) {
    lock.lock();
    try {
      write(batch, scope);
      return new Written(batch.ids(), batch.truncated());
    } catch (IOException e) {
      throw EmbeddedStore.failed("writing to the collection \"" + name() + "\"", e);
    } finally {
      lock.unlock();
    }
  }

  private void write(Batch batch, Scope scope) throws IOException {
    requireAlive();
    store.requireWritable();
    Snapshot before = table.snapshot();
    int dimension = batch.requireDimension(before.dimension());
    Checks.newIds(batch.ids(), before);
    refuseForeignIds(batch, before, scope);
    batch.model().ifPresent(used -> model.require(used, before));
    List<String> vacated = files.vacated(batch.ids(), before);
    List<String> chosen = files.choose(batch.ids(), before, vacated);
    RowTable.Staged staged = table.stage(dimension, batch.rows(chosen, files::remembered));
    if (batch.model().isPresent()) {
      model.record(new ModelRecord(batch.model().get(), dimension));
    }
    folder.put(batch.puts(chosen), vacated);
    unserved.superseded(batch.ids());
    table.publish(staged);
  }

  /** An id is shared by all tenants; one that cannot be seen cannot be written either. */
  private void refuseForeignIds(Batch batch, Snapshot before, Scope scope) {
    if (scope.isAll()) {
      return;
    }
    for (String id : batch.ids()) {
      Row row = before.get(id);
      boolean foreign = row != null && !scope.contains(row.metadata());
      if (foreign || (row == null && unserved.holds(id))) {
        throw new StoreException(
            ErrorCode.DOCUMENT_CONFLICT, "the id \"" + id + "\" is taken; choose another");
      }
    }
  }

  List<Document> get(List<String> ids, Scope scope) {
    Checks.ids(ids);
    Snapshot snapshot = read();
    List<Document> found = new ArrayList<>();
    for (String id : new LinkedHashSet<>(ids)) {
      Row row = snapshot.get(id);
      if (row != null && scope.contains(row.metadata())) {
        found.add(document(row));
      }
    }
    return found;
  }

  Page page(Optional<String> after, int limit, Scope scope) {
    if (limit < 1 || limit > Limits.MAX_PAGE_DOCUMENTS) {
      throw Checks.invalid("limit must be 1 to " + Limits.MAX_PAGE_DOCUMENTS + ", found " + limit);
    }
    List<Document> documents = new ArrayList<>();
    Iterator<Row> rows = read().after(after.orElse(null));
    while (rows.hasNext()) {
      Row row = rows.next();
      if (scope.contains(row.metadata())) {
        if (documents.size() == limit) {
          return new Page(documents, Optional.of(documents.getLast().id()));
        }
        documents.add(document(row));
      }
    }
    return new Page(documents, Optional.empty());
  }

  int delete(List<String> ids, Scope scope) {
    Checks.ids(ids);
    return remove(snapshot -> {
      List<Row> rows = new ArrayList<>();
      for (String id : new LinkedHashSet<>(ids)) {
        Row row = snapshot.get(id);
        if (row != null && scope.contains(row.metadata())) {
          rows.add(row);
        }
      }
      return rows;
    });
  }

  int deleteWhere(Filter where, Scope scope) {
    Checks.filter(where);
    scope.refuseReserved(where.fields(), "where");
    Filter confined = new Filter.And(List.of(scope.filter(), where));
    return remove(snapshot -> snapshot.matching(confined));
  }

  /** Chooses the rows to remove, under the lock. */
  private interface Selection {
    List<Row> of(Snapshot snapshot);
  }

  private int remove(Selection selection) {
    store.requireWritable();
    lock.lock();
    try {
      requireAlive();
      store.requireWritable();
      List<Row> rows = selection.of(table.snapshot());
      if (rows.isEmpty()) {
        return 0;
      }
      List<String> ids = rows.stream().map(Row::id).toList();
      Set<String> leaving = new LinkedHashSet<>(files.vacated(ids, table.snapshot()));
      rows.forEach(row -> leaving.add(files.of(row)));
      folder.trash(List.copyOf(leaving));
      unserved.superseded(ids);
      table.remove(ids);
      return rows.size();
    } catch (IOException e) {
      throw EmbeddedStore.failed("deleting from the collection \"" + name() + "\"", e);
    } finally {
      lock.unlock();
    }
  }

  QueryResult query(Query query, Scope scope) {
    query.where().ifPresent(Checks::filter);
    query.whereDocument().ifPresent(Checks::filter);
    query.where().ifPresent(where -> scope.refuseReserved(where.fields(), "where"));
    Snapshot snapshot = read();
    EmbeddedText target = target(query, snapshot);
    Checks.dimension(snapshot.dimension(), target.vector().length, "the query's vector");
    Optional<Filter> where = query.where();
    if (!scope.isAll()) {
      where =
          Optional.of(
              where
                  .<Filter>map(f -> new Filter.And(List.of(scope.filter(), f)))
                  .orElseGet(scope::filter));
    }
    List<Hit> hits =
        store
            .search()
            .search(
                snapshot,
                target.vector(),
                query.limit(),
                new ExactSearch.Restriction(where, query.whereDocument()))
            .stream()
            .map(ranked -> new Hit(document(ranked.row()), ranked.score()))
            .toList();
    return new QueryResult(
        hits, new Coverage(count(snapshot, scope), unavailable(scope)), target.truncated());
  }

  private EmbeddedText target(Query query, Snapshot snapshot) {
    return switch (query.target()) {
      case Query.Target.Vector vector -> {
        Checks.vector(vector.values(), "the query's vector");
        yield new EmbeddedText(vector.values(), false);
      }
      case Query.Target.Text text -> {
        if (text.text().isBlank()) {
          throw Checks.invalid("the query's text is blank");
        }
        Embedder embedder = store.embedder();
        model.require(embedder.model(), snapshot);
        yield embedder.embed(List.of(text.text())).getFirst();
      }
    };
  }

  /** Whose the unserved documents are is not known, so within a scope only none is a number. */
  private OptionalLong unavailable(Scope scope) {
    OptionalLong elder = store.quarantinedOf(this);
    if (elder.isEmpty()) {
      return elder;
    }
    long unavailable = elder.getAsLong() + unserved.documents();
    return scope.isAll() || unavailable == 0 ? OptionalLong.of(unavailable) : OptionalLong.empty();
  }

  /** A change of the disk that ends the collection. */
  interface Removal {
    void run() throws IOException;
  }

  void deleteWith(Removal removal) {
    lock.lock();
    try {
      requireAlive();
      removal.run();
      deleted = true;
    } catch (IOException e) {
      throw EmbeddedStore.failed("deleting the collection \"" + name() + "\"", e);
    } finally {
      lock.unlock();
    }
  }

  /** Returns when no write is in hand; the store refuses new ones by then. */
  boolean awaitWrites() {
    lock.lock();
    try {
      return !deleted;
    } finally {
      lock.unlock();
    }
  }

  private Snapshot read() {
    requireAlive();
    return table.snapshot();
  }

  private void requireAlive() {
    if (deleted) {
      throw EmbeddedStore.notFound(name());
    }
  }

  private static long count(Snapshot snapshot, Scope scope) {
    return scope.isAll() ? snapshot.count() : snapshot.count(scope.filter());
  }

  private static Document document(Row row) {
    return new Document(row.id(), row.content(), row.embedding(), row.metadata());
  }

  private static Map<String, String> orEmpty(@Nullable Map<String, String> metadata) {
    return metadata == null ? Map.of() : metadata;
  }
}
