package dev.contextd.engine.search;

/** Arithmetic on single vectors, in double precision. */
public final class Vectors {
  private Vectors() {}

  /** The Euclidean length; of finite floats it never overflows a double. */
  public static double norm(float[] vector) {
    return Math.sqrt(dot(vector, vector));
  }

  /** The dot product, summed in order. */
  public static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /** The cosine of the angle between two vectors that are not zero, clamped to [-1, 1]. */
  public static double cosine(float[] a, double normA, float[] b) {
    double dot = 0;
    double square = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      square += (double) b[i] * b[i];
    }
    return Math.clamp(dot / (normA * Math.sqrt(square)), -1.0, 1.0);
  }

  /** The vector divided by {@code norm}. */
  public static float[] scaled(float[] vector, double norm) {
    float[] scaled = new float[vector.length];
    for (int i = 0; i < vector.length; i++) {
      scaled[i] = (float) (vector[i] / norm);
    }
    return scaled;
  }

  /** Whether all values are finite. */
  public static boolean isFinite(float[] vector) {
    for (float value : vector) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }
}
