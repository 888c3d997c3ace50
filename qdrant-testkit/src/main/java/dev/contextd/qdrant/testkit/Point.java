package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.JsonWithInt.Value;
import java.util.Map;

/**
 * A point as the server holds it: in a cosine collection the vector has length one.
 *
 * @param uuid the id in its canonical form, lower case with hyphens
 * @param payload the payload, keys to values
 * @param vector {@code float[size of the collection]}
 */
public record Point(String uuid, Map<String, Value> payload, float[] vector) {
  /** Copies both, so that nobody changes what the server holds. */
  public Point {
    payload = Map.copyOf(payload);
    vector = vector.clone();
  }

  /** The vector, as a copy. */
  @Override
  public float[] vector() {
    return vector.clone();
  }
}
