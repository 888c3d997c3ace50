package dev.contextd.qdrant;

import dev.contextd.engine.Document;
import dev.contextd.engine.Filter;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.TextFilter;
import io.qdrant.client.grpc.Common.Condition;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.Points.CountPoints;
import io.qdrant.client.grpc.Points.DeletePoints;
import io.qdrant.client.grpc.Points.DenseVector;
import io.qdrant.client.grpc.Points.GetPoints;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PointsIdsList;
import io.qdrant.client.grpc.Points.PointsSelector;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.SearchParams;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.VectorInput;
import io.qdrant.client.grpc.Points.WithPayloadSelector;
import io.qdrant.client.grpc.Points.WithVectorsSelector;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The points of one collection. */
final class Points {
  /** So many points are asked for at once; with their vectors they fit into a message. */
  private static final int PAGE_POINTS = 500;

  private final Connection connection;
  private final String collection;

  Points(Connection connection, String collection) {
    this.connection = connection;
    this.collection = collection;
  }

  private String what(String doing) {
    return doing + " the collection \"" + collection + "\"";
  }

  private static WithPayloadSelector payload(boolean isWanted) {
    return WithPayloadSelector.newBuilder().setEnable(isWanted).build();
  }

  private static WithVectorsSelector vectors(boolean isWanted) {
    return WithVectorsSelector.newBuilder().setEnable(isWanted).build();
  }

  private static io.qdrant.client.grpc.Common.Filter filter(Condition condition) {
    return io.qdrant.client.grpc.Common.Filter.newBuilder().addMust(condition).build();
  }

  void upsert(List<PointStruct> points) {
    UpsertPoints request =
        UpsertPoints.newBuilder()
            .setCollectionName(collection)
            .setWait(true)
            .addAllPoints(points)
            .build();
    connection.call(what("writing to"), () -> connection.points().upsert(request));
  }

  void delete(List<PointId> ids) {
    if (ids.isEmpty()) {
      return; // The server refuses a request about nothing.
    }
    DeletePoints request =
        DeletePoints.newBuilder()
            .setCollectionName(collection)
            .setWait(true)
            .setPoints(
                PointsSelector.newBuilder().setPoints(PointsIdsList.newBuilder().addAllIds(ids)))
            .build();
    connection.call(what("deleting from"), () -> connection.points().delete(request));
  }

  long count(Optional<Condition> condition) {
    CountPoints.Builder request =
        CountPoints.newBuilder().setCollectionName(collection).setExact(true);
    condition.map(Points::filter).ifPresent(request::setFilter);
    return connection
        .call(what("counting"), () -> connection.points().count(request.build()))
        .getResult()
        .getCount();
  }

  List<RetrievedPoint> get(List<PointId> ids, boolean withPayload, boolean withVectors) {
    List<RetrievedPoint> found = new ArrayList<>();
    for (int from = 0; from < ids.size(); from += PAGE_POINTS) {
      GetPoints request =
          GetPoints.newBuilder()
              .setCollectionName(collection)
              .addAllIds(ids.subList(from, Math.min(ids.size(), from + PAGE_POINTS)))
              .setWithPayload(payload(withPayload))
              .setWithVectors(vectors(withVectors))
              .build();
      found.addAll(
          connection.call(what("reading"), () -> connection.points().get(request)).getResultList());
    }
    return found;
  }

  /** Points in the order of their ids, from one on, itself included. */
  List<RetrievedPoint> scroll(Optional<PointId> from, Optional<Condition> condition, int limit) {
    List<RetrievedPoint> found = new ArrayList<>();
    Optional<PointId> next = from;
    do {
      ScrollPoints.Builder request =
          ScrollPoints.newBuilder()
              .setCollectionName(collection)
              .setLimit(Math.min(PAGE_POINTS, limit - found.size()))
              .setWithPayload(payload(true))
              .setWithVectors(vectors(true));
      next.ifPresent(request::setOffset);
      condition.map(Points::filter).ifPresent(request::setFilter);
      var answer =
          connection.call(what("reading"), () -> connection.points().scroll(request.build()));
      found.addAll(answer.getResultList());
      next =
          answer.hasNextPageOffset() ? Optional.of(answer.getNextPageOffset()) : Optional.empty();
    } while (found.size() < limit && next.isPresent());
    return found;
  }

  /**
   * The nearest documents that match. What the server cannot judge is judged here: where too few of
   * its answers match, it is asked for twice as many, until enough do or there are no more.
   *
   * @param left points that the server need not look at
   * @param isShown whether a document of an id may be found
   */
  List<Hit> nearest(
      float[] vector,
      int limit,
      Filter where,
      Optional<TextFilter> content,
      List<PointId> left,
      Predicate<String> isShown) {
    Optional<Condition> wider = Conditions.wider(where);
    Optional<Condition> condition =
        left.isEmpty() ? wider : Optional.of(Conditions.without(left, wider));
    for (long asked = (long) limit + 1; ; asked *= 2) {
      List<ScoredPoint> scored = query(vector, asked, condition);
      List<Hit> hits = new ArrayList<>();
      for (ScoredPoint point : scored) {
        Document document =
            Payloads.document(point.getId(), point.getPayloadMap(), point.getVectors());
        boolean isFound =
            Float.isFinite(point.getScore()) // Else a vector that is none, which another wrote.
                && isShown.test(document.id())
                && where.holdsFor(document.metadata())
                && content.map(filter -> filter.matches(document.content())).orElse(true);
        if (isFound) {
          hits.add(new QueryResult.Hit(document, Math.clamp(point.getScore(), -1.0, 1.0)));
        }
      }
      if (hits.size() > limit || scored.size() < asked) {
        hits.sort(Hit.BEST_FIRST);
        return List.copyOf(hits.subList(0, Math.min(limit, hits.size())));
      }
    }
  }

  private List<ScoredPoint> query(float[] vector, long limit, Optional<Condition> condition) {
    QueryPoints.Builder request =
        QueryPoints.newBuilder()
            .setCollectionName(collection)
            .setQuery(
                io.qdrant.client.grpc.Points.Query.newBuilder()
                    .setNearest(
                        VectorInput.newBuilder()
                            .setDense(
                                DenseVector.newBuilder()
                                    .addAllData(
                                        com.google.common.primitives.Floats.asList(vector)))))
            .setParams(SearchParams.newBuilder().setExact(true))
            .setLimit(limit)
            .setWithPayload(payload(true))
            .setWithVectors(vectors(true));
    condition.map(Points::filter).ifPresent(request::setFilter);
    return connection
        .call(what("searching"), () -> connection.points().query(request.build()))
        .getResultList();
  }
}
