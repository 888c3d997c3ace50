package dev.contextd.engine.search;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The kernel in plain Java, for a JVM without the vector module. */
final class ScalarDotKernel implements DotKernel {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public void dot(
      MemorySegment rows, int stride, int[] slots, int count, float[] query, float[] out) {
    for (int i = 0; i < count; i++) {
      long offset = (long) slots[i] * stride;
      float sum0 = 0;
      float sum1 = 0;
      float sum2 = 0;
      float sum3 = 0;
      for (int j = 0; j < stride; j += 4) {
        sum0 += rows.getAtIndex(FLOAT, offset + j) * query[j];
        sum1 += rows.getAtIndex(FLOAT, offset + j + 1) * query[j + 1];
        sum2 += rows.getAtIndex(FLOAT, offset + j + 2) * query[j + 2];
        sum3 += rows.getAtIndex(FLOAT, offset + j + 3) * query[j + 3];
      }
      out[i] = sum0 + sum1 + (sum2 + sum3);
    }
  }

  @Override
  public String name() {
    return "scalar";
  }
}
