package dev.contextd.engine;

import dev.contextd.engine.QueryResult.Coverage;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.engine.search.Row;
import dev.contextd.engine.search.RowTable;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeptCollection;
import dev.contextd.storage.checkpoint.LoadedCollection;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.Checksum;
import dev.contextd.storage.folder.ModelRecord;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One collection: its documents in memory, and what reads them.
 *
 * <p>Invariants: what a reader sees is in the journal, synced; what failed is in neither. Readers
 * take a {@link Snapshot} and no lock. Once it is deleted no call succeeds. How it is written to
 * stands in {@link CollectionWrites}.
 */
final class EmbeddedCollection {
  private final EmbeddedStore store;
  private final KeptCollection kept;
  private final RowTable table = new RowTable();
  private final UnservedFiles unserved = new UnservedFiles();
  private final CollectionModel model;
  private final CollectionWrites writes;

  /** Why the collection's own metadata is not known; empty where it is. */
  private volatile Optional<String> lostMetadata = Optional.empty();

  /** A collection that was just created. */
  EmbeddedCollection(EmbeddedStore store, KeptCollection kept) {
    this.store = store;
    this.kept = kept;
    this.model = new CollectionModel(store, kept);
    this.writes = new CollectionWrites(store, kept, table, unserved, model);
    kept.source(this::current);
  }

  EmbeddedCollection(EmbeddedStore store, LoadedCollection loaded) {
    this(store, loaded.kept());
    unserved.add(loaded.damage());
    lostMetadata =
        loaded.damage().stream()
            .filter(Damage.MetadataUnknown.class::isInstance)
            .map(Damage::sentence)
            .findFirst();
    table.load(
        loaded.dimension(),
        loaded.units(),
        loaded.documents().stream()
            .map(document ->
                new RowTable.Put(
                    document.id(),
                    document.content(),
                    document.metadataOrEmpty(),
                    document.embedding()))
            .toList());
  }

  /** Does what the first one to ask for a document by its id would else wait for. */
  void prepare() {
    table.prepare();
  }

  /** The present version of a document, for its copies on disk. */
  private @Nullable StoredDocument current(String id) {
    Row row = table.snapshot().get(id);
    return row == null ? null : row.stored();
  }

  void noteModel(Optional<ModelRecord> record) {
    model.found(record);
  }

  void noteLostMetadata(Optional<String> why) {
    lostMetadata = why;
  }

  Optional<String> lostMetadata() {
    return lostMetadata;
  }

  String name() {
    return kept.stored().name();
  }

  Map<String, String> metadata() {
    return kept.stored().metadataOrEmpty();
  }

  CollectionWrites writes() {
    return writes;
  }

  KeptCollection kept() {
    return kept;
  }

  String folderName() {
    return kept.folder().name();
  }

  StoredCollection stored() {
    return kept.stored();
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

  /** As of this moment, in which every batch is whole or not there. */
  VectorStore.Contents contents() {
    Snapshot snapshot = table.snapshot();
    return new VectorStore.Contents(
        stored(),
        folderName(),
        kept.model(),
        lostMetadata.isPresent(),
        snapshot.count(),
        () -> {
          Iterator<Row> rows = snapshot.after(null);
          return new Iterator<>() {
            @Override
            public boolean hasNext() {
              return rows.hasNext();
            }

            @Override
            public StoredDocument next() {
              return rows.next().stored();
            }
          };
        });
  }

  CollectionInfo info(Scope scope) {
    return infoUnlessDeleted(scope).orElseThrow(() -> Checks.notFound(name()));
  }

  /** For a list of collections, in which one that is deleted meanwhile is left out. */
  Optional<CollectionInfo> infoUnlessDeleted(Scope scope) {
    return writes.isDeleted() ? Optional.empty() : Optional.of(info(table.snapshot(), scope));
  }

  private CollectionInfo info(Snapshot snapshot, Scope scope) {
    return new CollectionInfo(
        name(),
        folderName(),
        metadata(),
        count(snapshot, scope),
        snapshot.dimension() == 0 ? OptionalInt.empty() : OptionalInt.of(snapshot.dimension()),
        model.info(snapshot),
        unserved.documents(),
        lostMetadata);
  }

  long count(Scope scope) {
    return count(read(), scope);
  }

  Written upsert(List<NewDocument> documents, Scope scope) {
    return writes.upsert(Batch.prepare(documents, scope, store::writableEmbedder), scope);
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
    Checks.pageLimit(limit);
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
    return writes.remove(snapshot -> {
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
    Filter confined = scope.confine(where);
    return writes.remove(snapshot -> snapshot.matching(confined));
  }

  QueryResult query(Query query, Scope scope) {
    query.check(scope);
    Snapshot snapshot = read();
    EmbeddedText target = query.embedded(store::embedder, used -> model.require(used, snapshot));
    Checks.dimension(snapshot.dimension(), target.vector().length, "the query's vector");
    Optional<Filter> where = query.where();
    if (!scope.isAll()) {
      where = Optional.of(where.map(scope::confine).orElseGet(scope::filter));
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

  /** Whose the unserved documents are is not known, so within a scope only none is a number. */
  private OptionalLong unavailable(Scope scope) {
    OptionalLong elder = store.quarantinedOf(this);
    if (elder.isEmpty()) {
      return elder;
    }
    long unavailable = elder.getAsLong() + unserved.documents();
    return scope.isAll() || unavailable == 0 ? OptionalLong.of(unavailable) : OptionalLong.empty();
  }

  /** Writes again what the damage has cost, from what is served. */
  String mend(Damage damage) {
    String sum =
        switch (damage) {
          case Damage.DocumentMissing found -> rewrite(found.id());
          case Damage.DocumentSpoiled found -> rewrite(found.id());
          case Damage.MetadataSpoiled _, Damage.MetadataUnknown _ -> {
            kept.rewriteMetadata();
            yield Checksum.of(stored());
          }
          default -> throw new IllegalArgumentException("nothing to write again for " + damage);
        };
    unserved.remove(damage);
    return sum;
  }

  private String rewrite(String id) {
    kept.rewrite(id);
    Row served = snapshot().get(id);
    return served == null ? "" : Checksum.of(served.stored());
  }

  private Snapshot read() {
    if (writes.isDeleted()) {
      throw Checks.notFound(name());
    }
    return table.snapshot();
  }

  private static long count(Snapshot snapshot, Scope scope) {
    return scope.isAll() ? snapshot.count() : snapshot.count(scope.filter());
  }

  private static Document document(Row row) {
    return new Document(row.id(), row.content(), row.embedding(), row.metadata());
  }
}
