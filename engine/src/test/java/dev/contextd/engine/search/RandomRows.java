package dev.contextd.engine.search;

import java.util.Map;
import java.util.Random;

/** Rows for the tests of this package. */
final class RandomRows {
  private RandomRows() {}

  static RowTable.Put put(String id, Map<String, String> metadata, float... vector) {
    return new RowTable.Put(id, "content of " + id, metadata, vector);
  }

  /** A vector of unit length in float32. */
  static float[] unit(Random random, int dimension) {
    float[] vector = new float[dimension];
    do {
      for (int i = 0; i < dimension; i++) {
        vector[i] = (float) random.nextGaussian();
      }
    } while (Vectors.norm(vector) == 0);
    return Vectors.scaled(vector, Vectors.norm(vector));
  }
}
