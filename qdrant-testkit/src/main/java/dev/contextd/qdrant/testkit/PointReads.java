package dev.contextd.qdrant.testkit;

import dev.contextd.qdrant.testkit.StoredCollection.Stored;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Points.CountPoints;
import io.qdrant.client.grpc.Points.CountResponse;
import io.qdrant.client.grpc.Points.CountResult;
import io.qdrant.client.grpc.Points.GetPoints;
import io.qdrant.client.grpc.Points.GetResponse;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.ScrollResponse;
import io.qdrant.client.grpc.Points.WithPayloadSelector;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The calls that read points: get, scroll, count, and the exact search for the nearest. */
final class PointReads {
  private static final int DEFAULT_LIMIT = 10;
  private static final WithPayloadSelector WHOLE_PAYLOAD =
      WithPayloadSelector.newBuilder().setEnable(true).build();

  /** A point with its score for one query. */
  private record Scored(Stored stored, float score) {}

  /**
   * NaN leads, as {@link Float#compare} has it the greatest of all. Among equal scores Qdrant's own
   * order changes from call to call; here it is that of the ids.
   */
  private static final Comparator<Scored> BEST_FIRST =
      Comparator.comparing(Scored::score, Comparator.<Float>reverseOrder())
          .thenComparing(scored -> scored.stored().point().uuid());

  private final Memory memory;

  PointReads(Memory memory) {
    this.memory = memory;
  }

  GetResponse get(GetPoints request) {
    List<String> ids = Ids.canonical(request.getIdsList());
    StoredCollection collection = memory.collection(request.getCollectionName());
    Selection selection = new Selection(request.getWithPayload(), request.getWithVectors());
    GetResponse.Builder found = GetResponse.newBuilder();
    for (String id : new LinkedHashSet<>(ids)) {
      collection.get(id).ifPresent(stored -> found.addResult(selection.show(stored.point())));
    }
    return found.build();
  }

  ScrollResponse scroll(ScrollPoints request) {
    int limit = limit(request.hasLimit(), request.getLimit());
    StoredCollection collection = memory.collection(request.getCollectionName());
    if (request.hasOrderBy()) {
      throw Refusals.notFaked("scroll in the order of a field");
    }
    // Only scroll shows the payload if the request does not say.
    Selection selection =
        new Selection(
            request.hasWithPayload() ? request.getWithPayload() : WHOLE_PAYLOAD,
            request.getWithVectors());
    Predicate<Point> filter = Filters.predicate(request.getFilter());
    String start = request.hasOffset() ? Ids.canonical(request.getOffset()) : "";
    List<Point> page =
        collection.from(start).values().stream()
            .map(Stored::point)
            .filter(filter)
            .limit(limit + 1L)
            .toList();
    ScrollResponse.Builder answer = ScrollResponse.newBuilder();
    page.stream().limit(limit).map(selection::show).forEach(answer::addResult);
    if (page.size() > limit) {
      answer.setNextPageOffset(Ids.id(page.getLast().uuid()));
    }
    return answer.build();
  }

  CountResponse count(CountPoints request) {
    StoredCollection collection = memory.collection(request.getCollectionName());
    int count = collection.matching(Filters.predicate(request.getFilter())).size();
    return CountResponse.newBuilder().setResult(CountResult.newBuilder().setCount(count)).build();
  }

  List<ScoredPoint> query(QueryPoints request) {
    int limit = limit(request.hasLimit(), request.getLimit());
    StoredCollection collection = memory.collection(request.getCollectionName());
    checkIsNearest(request, collection);
    float[] wanted = collection.admitted(Vectors.read(request.getQuery().getNearest()));
    Stream<Scored> best =
        collection.matching(Filters.predicate(request.getFilter())).stream()
            .map(it -> new Scored(it, Vectors.dot(wanted, it.point().vector())))
            .sorted(BEST_FIRST);
    if (request.hasScoreThreshold()) {
      // Until the first that misses it: behind a NaN nothing is found.
      best = best.takeWhile(scored -> scored.score() > request.getScoreThreshold());
    }
    Selection selection = new Selection(request.getWithPayload(), request.getWithVectors());
    return best.skip(request.getOffset())
        .limit(limit)
        .map(it -> selection.show(it.stored().point(), it.score(), it.stored().version()))
        .toList();
  }

  private static void checkIsNearest(QueryPoints request, StoredCollection collection) {
    if (!request.getUsing().isEmpty()) {
      throw Refusals.noVectorOfName(request.getUsing());
    }
    if (request.getPrefetchCount() > 0 || !request.getQuery().hasNearest()) {
      throw Refusals.notFaked("query but for the nearest");
    }
    Distance distance = collection.params().getDistance();
    if (distance != Distance.Cosine && distance != Distance.Dot) {
      throw Refusals.notFaked("search by " + distance);
    }
  }

  private static int limit(boolean given, long limit) {
    if (!given) {
      return DEFAULT_LIMIT;
    }
    if (limit == 0) {
      throw Refusals.invalidField("limit", "value 0 invalid, must be 1 or larger");
    }
    return Math.clamp(limit, 1, Integer.MAX_VALUE);
  }
}
