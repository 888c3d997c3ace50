package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.Points;
import io.qdrant.client.grpc.Points.DenseVector;
import io.qdrant.client.grpc.Points.Vector;
import io.qdrant.client.grpc.Points.VectorInput;
import io.qdrant.client.grpc.Points.VectorOutput;
import io.qdrant.client.grpc.Points.VectorsOutput;
import java.util.List;

/** Dense vectors: read from requests, written to answers, and their arithmetic. */
final class Vectors {
  /** A squared length this near to one counts as one, and the vector is left as it is. */
  private static final float UNIT_TOLERANCE = 1e-6f;

  private Vectors() {}

  static float[] read(Points.Vectors vectors) {
    return switch (vectors.getVectorsOptionsCase()) {
      case VECTOR -> read(vectors.getVector());
      case VECTORS -> throw Refusals.notFaked("named vectors");
      case VECTORSOPTIONS_NOT_SET -> throw Refusals.missing("the vector");
    };
  }

  static float[] read(VectorInput input) {
    return switch (input.getVariantCase()) {
      case DENSE -> array(input.getDense().getDataList());
      case ID, SPARSE, MULTI_DENSE, DOCUMENT, IMAGE, OBJECT ->
          throw Refusals.notFaked("query by " + input.getVariantCase());
      case VARIANT_NOT_SET -> throw Refusals.missing("the vector");
    };
  }

  /** Clients before 1.16 send the numbers in the field that is deprecated now; both are taken. */
  @SuppressWarnings("deprecation")
  private static float[] read(Vector vector) {
    return switch (vector.getVectorCase()) {
      case DENSE -> array(vector.getDense().getDataList());
      case VECTOR_NOT_SET -> array(vector.getDataList());
      case SPARSE, MULTI_DENSE, DOCUMENT, IMAGE, OBJECT ->
          throw Refusals.notFaked("vector of kind " + vector.getVectorCase());
    };
  }

  static VectorsOutput write(float[] vector) {
    DenseVector.Builder dense = DenseVector.newBuilder();
    for (float number : vector) {
      dense.addData(number);
    }
    return VectorsOutput.newBuilder().setVector(VectorOutput.newBuilder().setDense(dense)).build();
  }

  /** The vector of length one; a zero vector stays, and infinity becomes NaN. */
  static float[] normalised(float[] vector) {
    float squared = dot(vector, vector);
    if (squared < Math.ulp(1f) || Math.abs(squared - 1f) <= UNIT_TOLERANCE) {
      return vector;
    }
    float length = (float) Math.sqrt(squared);
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = vector[i] / length;
    }
    return unit;
  }

  static float dot(float[] a, float[] b) {
    // From plus zero on, no sum ends as minus zero, which would be written out as a score.
    float sum = 0f;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static float[] array(List<Float> numbers) {
    float[] array = new float[numbers.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = numbers.get(i);
    }
    return array;
  }
}
