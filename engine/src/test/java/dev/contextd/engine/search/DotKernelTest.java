package dev.contextd.engine.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The two kernels against exact arithmetic. */
class DotKernelTest {
  private static final List<DotKernel> KERNELS =
      List.of(new ScalarDotKernel(), new VectorDotKernel());

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 15, 16, 17, 100, 384, 768, 1_536})
  void resultsLieWithinTheBound(int dimension) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int stride = DotKernel.stride(dimension);
    int count = 37;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rows = arena.allocate((long) count * stride * Float.BYTES, 64);
      float[][] vectors = new float[count][];
      for (int i = 0; i < count; i++) {
        vectors[i] = vector(random, dimension, i);
        long offset = (long) i * stride * Float.BYTES;
        MemorySegment.copy(vectors[i], 0, rows, ValueLayout.JAVA_FLOAT, offset, dimension);
      }
      float[] query = vector(random, dimension, random.nextInt(4));
      for (DotKernel kernel : KERNELS) {
        for (int step : new int[] {1, 2, 3, 5, 40}) {
          int[] slots =
              IntStream.iterate(random.nextInt(step) % count, i -> i < count, i -> i + step)
                  .toArray();
          float[] out = new float[slots.length];
          kernel.dot(rows, stride, slots, slots.length, Arrays.copyOf(query, stride), out);
          for (int i = 0; i < slots.length; i++) {
            assertThat((double) out[i])
                .as("%s, seed %d, row %d", kernel.name(), seed, slots[i])
                .isCloseTo(
                    Vectors.dot(query, vectors[slots[i]]),
                    within((double) DotKernel.errorBound(stride)));
          }
        }
      }
    }
  }

  /** Of unit length, and of the kinds that add up worst: all alike, alternating, one large. */
  private static float[] vector(Random random, int dimension, int kind) {
    float[] vector = RandomRows.unit(random, dimension);
    for (int i = 0; i < dimension; i++) {
      switch (kind % 4) {
        case 1 -> vector[i] = 1;
        case 2 -> vector[i] = i % 2 == 0 ? 1 : -1;
        case 3 -> vector[i] = i == 0 ? 1 : 1e-6f;
        default -> {}
      }
    }
    return Vectors.scaled(vector, Vectors.norm(vector));
  }

  @Test
  void rowsBeginAtMultiplesOf64Bytes() {
    assertThat(List.of(1, 15, 16, 17, 384))
        .extracting(DotKernel::stride)
        .containsExactly(16, 16, 16, 32, 384);
  }

  /** Beside the scalar one, which answers until then; each by being told to, and by being used. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Timeout(60)
  void theSimdKernelIsWarmedUpAndTakesOver(boolean isTold) {
    DotKernel kernel = new WarmingDotKernel();
    assertThat(kernel.name()).isEqualTo("scalar");
    kernel.warmUpAside(0); // Of an empty store: nothing begins.
    if (isTold) {
      kernel.warmUpAside(384);
    }
    MemorySegment rows = Arena.ofAuto().allocate(64 * 384 * Float.BYTES);
    float[] out = new float[64];
    int[] slots = IntStream.range(0, 64).toArray();
    while (!kernel.name().startsWith("simd-")) {
      kernel.dot(rows, 384, slots, slots.length, new float[384], out);
      kernel.noteSearch(64 * 384, 384);
    }
  }

  /** Each way to start a process that the documentation names, and what its searches use then. */
  @ParameterizedTest
  @CsvSource({
    "--add-modules=jdk.incubator.vector, simd-",
    "--add-exports=java.base/jdk.internal.module=ALL-UNNAMED, simd-",
    "-Da=b, scalar",
    "-Dcontextd.simd=false, scalar"
  })
  void aProcessHasSimdIfItIsStartedForIt(String flag, String expected) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                flag,
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var out = child.inputReader()) {
      assertThat(out.readLine()).startsWith(expected);
    }
    assertThat(child.waitFor()).isZero();
  }

  /** Prints the kernel that a process ends up with. */
  static final class Child {
    public static void main(String[] args) throws InterruptedException {
      DotKernel kernel = DotKernel.best();
      kernel.warmUpAside(16);
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().equals("warm-up")) {
          thread.join();
        }
      }
      System.out.println(kernel.name());
    }
  }
}
