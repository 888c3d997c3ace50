package dev.contextd.embeddings;

/** The two properties without which a vector cannot be stored. */
final class Vectors {

  private Vectors() {}

  /** Whether all values are finite and at least one is not zero. */
  static boolean isUsable(float[] vector) {
    boolean nonZero = false;
    for (float value : vector) {
      if (!Float.isFinite(value)) {
        return false;
      }
      nonZero |= value != 0;
    }
    return nonZero;
  }

  /** Scales a usable vector in place to unit length. */
  static void normalize(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    double length = Math.sqrt(squares);
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (vector[i] / length);
    }
  }
}
