package dev.contextd.qdrant;

import dev.contextd.engine.Batch;
import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.Filter;
import dev.contextd.engine.Limits;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Page;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.RemoteCollection;
import dev.contextd.engine.Scope;
import dev.contextd.engine.Written;
import dev.contextd.storage.chromem.StoredDocument;
import io.qdrant.client.grpc.Common.Condition;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A collection on the server, as one caller sees it. */
final class QdrantCollection implements RemoteCollection {
  /**
   * One message carries about so many bytes of points; servers take 32 MiB as they are installed.
   */
  private static final long MESSAGE_BYTES = 8L << 20;

  private static final int POINT_BYTES = 256;

  /** One condition names at most so many points: about 4 MB. */
  private static final int MAX_NAMED_POINTS = 100_000;

  private final Descriptions descriptions;
  private final Points points;
  private final Supplier<Embedder> embedder;
  private final String name;
  private final Scope scope;
  private final Set<String> hidden;

  /**
   * @param hidden ids of documents that are not read
   */
  QdrantCollection(
      Connection connection,
      Descriptions descriptions,
      Supplier<Embedder> embedder,
      String name,
      Scope scope,
      Set<String> hidden) {
    this.descriptions = descriptions;
    this.points = new Points(connection, name);
    this.embedder = embedder;
    this.name = name;
    this.scope = scope;
    this.hidden = hidden;
  }

  @Override
  public CollectionInfo info() {
    Description found = descriptions.require(name);
    long all = scope.isAll() ? count() : count(Scope.ALL);
    return new CollectionInfo(
        name,
        "",
        found.metadata(),
        scope.isAll() ? all : count(),
        all == 0 ? OptionalInt.empty() : OptionalInt.of(found.dimension()),
        found.model().map(model -> new CollectionInfo.Model(model, false)),
        0,
        Optional.empty());
  }

  @Override
  public long count() {
    return count(scope);
  }

  private long count(Scope counted) {
    Optional<Condition> condition = Conditions.wider(counted.filter());
    if (hidden.isEmpty()) {
      return points.count(condition);
    }
    List<PointId> left = pointIds(List.copyOf(hidden));
    if (left.size() <= MAX_NAMED_POINTS) {
      return points.count(Optional.of(Conditions.without(left, condition)));
    }
    // In parts, between which the server may change.
    long count = points.count(condition);
    for (int from = 0; from < left.size(); from += MAX_NAMED_POINTS) {
      List<PointId> some = left.subList(from, Math.min(left.size(), from + MAX_NAMED_POINTS));
      count -= points.count(Optional.of(Conditions.among(some, condition)));
    }
    return count;
  }

  @Override
  public Written upsert(List<NewDocument> documents) {
    Batch batch = Batch.prepare(documents, scope, embedder);
    QdrantStore.requireHeld(documents);
    return upsert(batch, descriptions.require(name));
  }

  /** Writes a batch, into a collection that is created where it is missing. */
  Written upsert(Batch batch) {
    Description found =
        descriptions
            .find(name)
            .orElseGet(() -> {
              descriptions.create(name, Description.of(Map.of(), Optional.of(batch.dimension())));
              return descriptions.require(name);
            });
    return upsert(batch, found);
  }

  private Written upsert(Batch batch, Description found) {
    refuseForeignIds(batch);
    batch.model().ifPresent(used -> requireModel(found, used));
    requireRoom(found, batch.requireDimension(0));
    batch.model().ifPresent(model -> descriptions.model(name, found, model));
    List<PointStruct> message = new ArrayList<>();
    long bytes = 0;
    for (StoredDocument document : batch.documents()) {
      message.add(Payloads.point(name, document));
      bytes +=
          POINT_BYTES
              + document.content().length()
              + (long) Float.BYTES * document.embedding().length;
      if (bytes > MESSAGE_BYTES) {
        points.upsert(message);
        message.clear();
        bytes = 0;
      }
    }
    if (!message.isEmpty()) {
      points.upsert(message);
    }
    return new Written(batch.ids(), batch.truncated());
  }

  /** A collection that is still empty takes the dimension of its first document. */
  private void requireRoom(Description found, int dimension) {
    if (found.dimension() == dimension) {
      return;
    }
    if (points.count(Optional.empty()) > 0) {
      Checks.dimension(found.dimension(), dimension, "documents[0].embedding");
    }
    descriptions.delete(name);
    descriptions.create(name, found.withDimension(dimension));
  }

  private void requireModel(Description found, String used) {
    found.model().ifPresent(present -> Checks.model(name, present, used));
  }

  /** See {@link Checks#taken}. */
  private void refuseForeignIds(Batch batch) {
    if (scope.isAll()) {
      return;
    }
    for (RetrievedPoint point : points.get(pointIds(batch.ids()), true, false)) {
      Document present = document(point);
      if (!scope.contains(present.metadata())) {
        throw Checks.taken(present.id());
      }
    }
  }

  private List<PointId> pointIds(List<String> ids) {
    return ids.stream().map(id -> PointIds.of(name, id)).toList();
  }

  private static Document document(RetrievedPoint point) {
    return Payloads.document(point.getId(), point.getPayloadMap(), point.getVectors());
  }

  @Override
  public Optional<Document> get(String id) {
    return get(List.of(id)).stream().findFirst();
  }

  @Override
  public List<Document> get(List<String> ids) {
    Checks.ids(ids);
    List<String> wanted = ids.stream().distinct().filter(this::isShown).toList();
    Map<String, Document> found = new HashMap<>();
    for (RetrievedPoint point : points.get(pointIds(wanted), true, true)) {
      Document document = document(point);
      if (scope.contains(document.metadata())) {
        found.put(document.id(), document);
      }
    }
    return wanted.stream().filter(found::containsKey).map(id -> of(found, id)).toList();
  }

  private static Document of(Map<String, Document> documents, String id) {
    return Objects.requireNonNull(documents.get(id));
  }

  @Override
  public Page page(Optional<String> after, int limit) {
    Checks.pageLimit(limit);
    List<Document> documents = new ArrayList<>();
    Optional<PointId> from = after.map(id -> PointIds.of(name, id));
    // One more than asked for tells whether there is another page; the offset itself is the last
    // one's.
    int asked = limit + 2;
    for (boolean isMore = true; isMore; ) {
      Optional<PointId> offset = from;
      List<RetrievedPoint> found = points.scroll(from, Conditions.wider(scope.filter()), asked);
      for (RetrievedPoint point : found) {
        Document document = document(point);
        boolean isBefore = offset.isPresent() && point.getId().equals(offset.get());
        if (!isBefore && scope.contains(document.metadata()) && isShown(document.id())) {
          if (documents.size() == limit) {
            return new Page(documents, Optional.of(documents.getLast().id()));
          }
          documents.add(document);
        }
        from = Optional.of(point.getId());
      }
      isMore = found.size() == asked; // What is hidden leaves room for what comes behind it.
    }
    return new Page(documents, Optional.empty());
  }

  private boolean isShown(String id) {
    return !hidden.contains(id);
  }

  @Override
  public int delete(List<String> ids) {
    Checks.ids(ids);
    descriptions.require(name);
    List<PointId> wanted = pointIds(List.copyOf(new LinkedHashSet<>(ids)));
    List<PointId> present =
        points.get(wanted, !scope.isAll(), false).stream()
            .filter(point -> scope.isAll() || scope.contains(document(point).metadata()))
            .map(RetrievedPoint::getId)
            .toList();
    points.delete(present);
    return present.size();
  }

  @Override
  public int deleteWhere(Filter where) {
    Checks.filter(where);
    scope.refuseReserved(where.fields(), "where");
    descriptions.require(name);
    AtomicInteger deleted = new AtomicInteger();
    eachMatching(
        where,
        matching -> {
          points.delete(matching.stream().map(RetrievedPoint::getId).toList());
          deleted.addAndGet(matching.size());
        });
    return deleted.get();
  }

  @Override
  public List<String> matching(Filter where) {
    Set<String> ids = new LinkedHashSet<>(); // The last one of a page is the first of the next.
    eachMatching(
        where, matching -> matching.stream().map(one -> document(one).id()).forEach(ids::add));
    return List.copyOf(ids);
  }

  private void eachMatching(Filter where, Consumer<List<RetrievedPoint>> each) {
    Filter confined = scope.confine(where);
    Optional<PointId> from = Optional.empty();
    do {
      List<RetrievedPoint> found =
          points.scroll(from, Conditions.wider(confined), Limits.MAX_PAGE_DOCUMENTS);
      each.accept(
          found.stream()
              .filter(point -> {
                Document document = document(point);
                return isShown(document.id()) && confined.holdsFor(document.metadata());
              })
              .toList());
      boolean isLast = found.size() < Limits.MAX_PAGE_DOCUMENTS;
      from = isLast ? Optional.empty() : Optional.of(found.getLast().getId());
    } while (from.isPresent());
  }

  @Override
  public QueryResult query(Query query) {
    query.check(scope);
    Description found = descriptions.require(name);
    EmbeddedText target = query.embedded(embedder, used -> requireModel(found, used));
    long searched = count();
    if (searched > 0) {
      Checks.dimension(found.dimension(), target.vector().length, "the query's vector");
    }
    query.where().ifPresent(where -> descriptions.index(name, where.fields()));
    Filter where = query.where().map(scope::confine).orElseGet(scope::filter);
    List<QueryResult.Hit> hits =
        searched == 0
            ? List.of()
            : points.nearest(
                target.vector(),
                query.limit(),
                where,
                query.whereDocument(),
                pointIds(hidden.stream().limit(MAX_NAMED_POINTS).toList()),
                this::isShown);
    return new QueryResult(
        hits, new QueryResult.Coverage(searched, OptionalLong.empty()), target.truncated());
  }
}
