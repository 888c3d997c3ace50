package dev.contextd.benchmarks;

import dev.contextd.engine.NewDocument;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Documents to store: unit vectors of {@value #DIMENSION} dimensions, about 200 bytes of content,
 * three metadata fields. {@code benchmarks/chromem} makes them alike.
 *
 * <p>They are made while the clock runs, so they must be cheap: a document's vector is one of
 * {@value #VECTORS} random ones, rotated by as many places as these were used up before.
 */
final class StoreDocuments {
  private static final int DIMENSION = 384;
  private static final int VECTORS = 4_096;
  private static final int SEED = 42;
  private static final int QUERY_SEED = 43;
  private static final String TEXT =
      " of the session: the build failed because a test read a file that another test had moved,"
          + " so each of them was given a folder of its own and the order no longer matters to them.";

  private final float[][] vectors = new float[VECTORS][];

  StoreDocuments() {
    Random random = new Random(SEED);
    for (int i = 0; i < VECTORS; i++) {
      vectors[i] = ExactSearchBenchmark.unit(random);
    }
  }

  NewDocument document(int number) {
    return new NewDocument(
        Optional.of("doc-" + number),
        "Note " + number + TEXT,
        Optional.of(vector(number)),
        Map.of(
            "tenth", Integer.toString(number % 10),
            "project", "project-" + number % 7,
            "created_at", Integer.toString(1_700_000_000 + number)));
  }

  /** A vector that no document has. */
  static float[] query() {
    return ExactSearchBenchmark.unit(new Random(QUERY_SEED));
  }

  private float[] vector(int number) {
    float[] from = vectors[number % VECTORS];
    int places = number / VECTORS % DIMENSION;
    float[] vector = new float[DIMENSION];
    System.arraycopy(from, places, vector, 0, DIMENSION - places);
    System.arraycopy(from, 0, vector, DIMENSION - places, places);
    return vector;
  }
}
