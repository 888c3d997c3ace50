package dev.contextd.engine.search;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The scalar kernel until the one in SIMD is compiled, which takes the compiler half a second of a
 * young process: until then each operation on a vector makes an object, and is many times slower.
 *
 * <p>It is warmed up when it is told to, or after a search when so much was scanned that it is
 * worth it: not beside that search, whose own code would wait behind it for the compiler.
 */
final class WarmingDotKernel implements DotKernel {
  /** What is compiled is compiled for all. */
  static final DotKernel OF_PROCESS = new WarmingDotKernel();

  private static final Logger log = LoggerFactory.getLogger(WarmingDotKernel.class);

  /** About ten thousand rows. */
  private static final long WORTH_FLOATS = 1L << 22;

  private static final int ROWS = 64;
  private static final int SCANS = 1_000;

  private final AtomicBoolean isBegun = new AtomicBoolean();
  private final LongAdder scanned = new LongAdder();
  private volatile DotKernel current = new ScalarDotKernel();

  @Override
  public void dot(
      MemorySegment rows, int stride, int[] slots, int count, float[] query, float[] out) {
    current.dot(rows, stride, slots, count, query, out);
  }

  @Override
  public void noteSearch(long floats, int dimension) {
    if (!isBegun.get()) {
      scanned.add(floats);
      if (scanned.sum() > WORTH_FLOATS) {
        warmUpAside(dimension);
      }
    }
  }

  @Override
  public void warmUpAside(int dimension) {
    // Over vectors of no length nothing would be compiled.
    if (dimension > 0 && isBegun.compareAndSet(false, true)) {
      Thread.ofPlatform().daemon().name("warm-up").start(() -> warmUp(dimension));
    }
  }

  /** Scans a few rows again and again until the kernel is compiled, and uses it from then on. */
  private void warmUp(int dimension) {
    if (!SimdModule.load()) {
      return;
    }
    DotKernel simd = new VectorDotKernel();
    int stride = DotKernel.stride(dimension);
    float[] unit = new float[stride];
    float[] scores = new float[ROWS];
    int[] slots = new int[ROWS];
    Arrays.setAll(slots, i -> i);
    // Memory of the kind that chunks have: what is compiled for another kind would be thrown away.
    MemorySegment rows = Arena.ofAuto().allocate((long) ROWS * stride * Float.BYTES);
    for (int i = 0; i < SCANS; i++) {
      simd.dot(rows, stride, slots, ROWS, unit, scores);
    }
    current = simd;
    log.debug("searches use the kernel {}", simd.name());
  }

  @Override
  public String name() {
    return current.name();
  }
}
