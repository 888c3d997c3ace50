package dev.contextd.engine.search;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The kernel in SIMD: four rows at a time, so that each load of the query serves four rows and four
 * independent streams keep the memory busy, side by side or apart.
 */
final class VectorDotKernel implements DotKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final int ROWS = 4;

  @Override
  public void dot(
      MemorySegment rows, int stride, int[] slots, int count, float[] query, float[] out) {
    long bytes = (long) stride * Float.BYTES;
    int i = 0;
    for (; i + ROWS <= count; i += ROWS) {
      four(
          rows,
          slots[i] * bytes,
          slots[i + 1] * bytes,
          slots[i + 2] * bytes,
          slots[i + 3] * bytes,
          stride,
          query,
          out,
          i);
    }
    for (; i < count; i++) {
      out[i] = one(rows, slots[i] * bytes, stride, query);
    }
  }

  private static void four(
      MemorySegment rows,
      long row0,
      long row1,
      long row2,
      long row3,
      int stride,
      float[] query,
      float[] out,
      int at) {
    FloatVector sum0 = FloatVector.zero(SPECIES);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    for (int j = 0; j < stride; j += LANES) {
      long offset = (long) j * Float.BYTES;
      FloatVector q = FloatVector.fromArray(SPECIES, query, j);
      sum0 = FloatVector.fromMemorySegment(SPECIES, rows, row0 + offset, ORDER).fma(q, sum0);
      sum1 = FloatVector.fromMemorySegment(SPECIES, rows, row1 + offset, ORDER).fma(q, sum1);
      sum2 = FloatVector.fromMemorySegment(SPECIES, rows, row2 + offset, ORDER).fma(q, sum2);
      sum3 = FloatVector.fromMemorySegment(SPECIES, rows, row3 + offset, ORDER).fma(q, sum3);
    }
    out[at] = sum0.reduceLanes(VectorOperators.ADD);
    out[at + 1] = sum1.reduceLanes(VectorOperators.ADD);
    out[at + 2] = sum2.reduceLanes(VectorOperators.ADD);
    out[at + 3] = sum3.reduceLanes(VectorOperators.ADD);
  }

  private static float one(MemorySegment rows, long row, int stride, float[] query) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int j = 0; j < stride; j += LANES) {
      FloatVector q = FloatVector.fromArray(SPECIES, query, j);
      long offset = row + (long) j * Float.BYTES;
      sum = FloatVector.fromMemorySegment(SPECIES, rows, offset, ORDER).fma(q, sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public String name() {
    return "simd-" + SPECIES.vectorBitSize();
  }
}
