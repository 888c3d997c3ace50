package dev.contextd.storage.gob;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is quicker writes the same bytes. */
final class GobWriterTest {
  private static final int RANDOM_VALUES = 100_000;

  @Test
  void aFloat32IsWrittenAsTheSameFloat64() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    float[] special = {
      0,
      -0f,
      1,
      -1,
      2,
      0.1f,
      1 + Math.ulp(1f),
      1 + 8 * Math.ulp(1f),
      1 + 2048 * Math.ulp(1f),
      Float.MIN_VALUE,
      -Float.MIN_NORMAL,
      Float.MAX_VALUE,
      Float.NaN,
      Float.intBitsToFloat(0xffc00001),
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY
    };
    for (float value : special) {
      assertWrittenAsFloat64(value);
    }
    IntStream.range(0, RANDOM_VALUES)
        .forEach(i -> assertWrittenAsFloat64(Float.intBitsToFloat(random.nextInt())));
  }

  private static void assertWrittenAsFloat64(float value) {
    assertThat(new GobWriter().floats(new float[] {value, value}).toByteArray())
        .as("bits %08x", Float.floatToRawIntBits(value))
        .isEqualTo(new GobWriter().uint(2).float64(value).float64(value).toByteArray());
  }
}
