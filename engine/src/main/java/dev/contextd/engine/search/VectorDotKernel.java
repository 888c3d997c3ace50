package dev.contextd.engine.search;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The kernel in SIMD: four rows at a time, so that each load of the query serves four rows and four
 * independent streams keep the memory busy.
 */
final class VectorDotKernel implements DotKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final int ROWS = 4;

  @Override
  public void dot(
      MemorySegment rows, int stride, long first, int count, float[] query, float[] out) {
    int i = 0;
    for (; i + ROWS <= count; i += ROWS) {
      four(rows, stride, first + i, query, out, i);
    }
    for (; i < count; i++) {
      out[i] = one(rows, stride, first + i, query);
    }
  }

  private static void four(
      MemorySegment rows, int stride, long row, float[] query, float[] out, int at) {
    long bytes = (long) stride * Float.BYTES;
    long offset = row * bytes;
    FloatVector sum0 = FloatVector.zero(SPECIES);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    for (int j = 0; j < stride; j += LANES, offset += (long) LANES * Float.BYTES) {
      FloatVector q = FloatVector.fromArray(SPECIES, query, j);
      sum0 = FloatVector.fromMemorySegment(SPECIES, rows, offset, ORDER).fma(q, sum0);
      sum1 = FloatVector.fromMemorySegment(SPECIES, rows, offset + bytes, ORDER).fma(q, sum1);
      sum2 = FloatVector.fromMemorySegment(SPECIES, rows, offset + 2 * bytes, ORDER).fma(q, sum2);
      sum3 = FloatVector.fromMemorySegment(SPECIES, rows, offset + 3 * bytes, ORDER).fma(q, sum3);
    }
    out[at] = sum0.reduceLanes(VectorOperators.ADD);
    out[at + 1] = sum1.reduceLanes(VectorOperators.ADD);
    out[at + 2] = sum2.reduceLanes(VectorOperators.ADD);
    out[at + 3] = sum3.reduceLanes(VectorOperators.ADD);
  }

  private static float one(MemorySegment rows, int stride, long row, float[] query) {
    long offset = row * stride * Float.BYTES;
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int j = 0; j < stride; j += LANES, offset += (long) LANES * Float.BYTES) {
      FloatVector q = FloatVector.fromArray(SPECIES, query, j);
      sum = FloatVector.fromMemorySegment(SPECIES, rows, offset, ORDER).fma(q, sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public String name() {
    return "simd-" + SPECIES.vectorBitSize();
  }
}
