package dev.contextd.engine.search;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The kernel in plain Java: for a JVM without the vector module, and for the first queries of a
 * young process. There each access to a segment costs many times what one to an array does, so that
 * rows are copied first; and the sum of one row is a method of its own, which is compiled after
 * some hundred rows, and not when the scan comes to its end.
 */
final class ScalarDotKernel implements DotKernel {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** So many rows that lie side by side are copied at once: 24 KiB of 384 dimensions. */
  private static final int MAX_RUN_ROWS = 16;

  @Override
  public void dot(
      MemorySegment rows, int stride, int[] slots, int count, float[] query, float[] out) {
    float[] copy = new float[Math.min(count, MAX_RUN_ROWS) * stride];
    int run;
    for (int i = 0; i < count; i += run) {
      run = run(slots, i, count);
      long offset = (long) slots[i] * stride * Float.BYTES;
      MemorySegment.copy(rows, FLOAT, offset, copy, 0, run * stride);
      for (int row = 0; row < run; row++) {
        out[i + row] = one(copy, row * stride, stride, query);
      }
    }
  }

  /** How many rows from one on lie side by side. */
  private static int run(int[] slots, int from, int count) {
    int end = Math.min(count, from + MAX_RUN_ROWS);
    int next = from + 1;
    while (next < end && slots[next] == slots[next - 1] + 1) {
      next++;
    }
    return next - from;
  }

  private static float one(float[] rows, int at, int stride, float[] query) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    for (int j = 0; j < stride; j += 4) {
      sum0 += rows[at + j] * query[j];
      sum1 += rows[at + j + 1] * query[j + 1];
      sum2 += rows[at + j + 2] * query[j + 2];
      sum3 += rows[at + j + 3] * query[j + 3];
    }
    return sum0 + sum1 + (sum2 + sum3);
  }

  @Override
  public String name() {
    return "scalar";
  }
}
