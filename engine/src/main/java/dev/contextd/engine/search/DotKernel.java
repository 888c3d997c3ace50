package dev.contextd.engine.search;

import dev.contextd.storage.pack.PackFormat;
import java.lang.foreign.MemorySegment;

/**
 * The inner loop of the scan: dot products of one query with rows of float32.
 *
 * <p>Rows are {@code stride} floats long, a multiple of {@value #STRIDE_FLOATS}, padded with zeros,
 * little-endian; the query is padded alike. Results are approximate: each is within {@link
 * #errorBound} of the exact dot product of unit vectors, whatever the order of summation.
 */
public interface DotKernel {
  /** Rows begin at multiples of 64 bytes. */
  int STRIDE_FLOATS = PackFormat.STRIDE_FLOATS;

  /**
   * Computes {@code out[i] = query . row(slots[i])} for {@code 0 <= i < count}.
   *
   * @param slots numbers of rows, best in rising order
   * @param query {@code float[stride]}
   */
  void dot(MemorySegment rows, int stride, int[] slots, int count, float[] query, float[] out);

  /** The name of the implementation, for the log. */
  String name();

  /** The stride of rows of a dimension, in floats. */
  static int stride(int dimension) {
    return PackFormat.stride(dimension);
  }

  /**
   * How far a result may lie from the exact one: {@code (stride + 16) * 2^-24}, from the bound on
   * floating-point dot products {@code n u |a| |b|} (N. Higham, Accuracy and Stability of Numerical
   * Algorithms, section 3.1) for vectors whose length is 1 within 1e-6.
   */
  static float errorBound(int stride) {
    return (stride + STRIDE_FLOATS) * 0x1p-24f + 2e-6f;
  }

  /** Begins in a thread of its own with what makes later calls faster; once is enough. */
  default void warmUpAside(int dimension) {}

  /**
   * Told after each search, so that what makes later ones faster is in no search's way.
   *
   * @param floats that it scanned
   */
  default void noteSearch(long floats, int dimension) {}

  /**
   * The SIMD kernel where the module {@code jdk.incubator.vector} is there or can be loaded, else
   * the scalar one, which begins in any case. All stores of a process share it.
   */
  static DotKernel best() {
    return WarmingDotKernel.OF_PROCESS;
  }
}
