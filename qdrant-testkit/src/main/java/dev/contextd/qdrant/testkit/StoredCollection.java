package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.PayloadSchemaInfo;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.JsonWithInt.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * One collection in memory.
 *
 * <p>Invariants: every vector has as many numbers as the collection's size; keys are canonical
 * UUIDs; operation numbers only grow. Whoever calls holds the lock of {@link Memory}.
 */
final class StoredCollection {
  /** A point, and the number of the operation that wrote it last. */
  record Stored(Point point, long version) {}

  private final VectorParams params;
  private final Map<String, Value> metadata;
  private final Map<String, PayloadSchemaInfo> indexes = new TreeMap<>();
  private final TreeMap<String, Stored> points = new TreeMap<>();
  private long operations;

  StoredCollection(VectorParams params, Map<String, Value> metadata) {
    this.params = params;
    this.metadata = new HashMap<>(metadata);
  }

  VectorParams params() {
    return params;
  }

  Map<String, Value> metadata() {
    return metadata;
  }

  Map<String, PayloadSchemaInfo> indexes() {
    return indexes;
  }

  int size() {
    return points.size();
  }

  Optional<Stored> get(String uuid) {
    return Optional.ofNullable(points.get(uuid));
  }

  /** The points from this id on, that id included. */
  SortedMap<String, Stored> from(String uuid) {
    return points.tailMap(uuid);
  }

  List<Stored> matching(Predicate<Point> filter) {
    return points.values().stream().filter(stored -> filter.test(stored.point())).toList();
  }

  /** What the collection would hold for this vector: of length one if distance is cosine. */
  float[] admitted(float[] vector) {
    if (vector.length != params.getSize()) {
      throw Refusals.wrongDimension(Math.toIntExact(params.getSize()), vector.length);
    }
    return params.getDistance() == Distance.Cosine ? Vectors.normalised(vector) : vector;
  }

  long nextOperation() {
    return ++operations;
  }

  void set(Point point, long version) {
    points.put(point.uuid(), new Stored(point, version));
  }

  void remove(String uuid) {
    points.remove(uuid);
  }

  /** Puts things back as they were: a point, or its absence. */
  void restore(Map<String, Optional<Stored>> before) {
    before.forEach((uuid, stored) ->
        stored.ifPresentOrElse(it -> points.put(uuid, it), () -> points.remove(uuid)));
  }

  /** The old fields with the new ones over them; a null takes its field away. */
  static Map<String, Value> merged(Map<String, Value> old, Map<String, Value> changes) {
    Map<String, Value> merged = new HashMap<>(old);
    changes.forEach((key, value) -> {
      if (value.hasNullValue()) {
        merged.remove(key);
      } else {
        merged.put(key, value);
      }
    });
    return merged;
  }
}
