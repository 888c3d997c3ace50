package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NameOrderTest {
  private static final int ROUNDS = 2_000;
  private static final int MAX_NAMES = 40;
  private static final int MAX_LENGTH = 7;

  /** Few of them, so that many names begin alike; the ends of a byte, wide ones and surrogates. */
  private static final char[] CHARACTERS = {
    0, 'a', 'b', 0xfe, 0xff, 0x100, 0x101, 0xd800, 0xdc00, 0xffff
  };

  @Test
  void namesComeAsTheirStringsCompare() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < ROUNDS; round++) {
      String[] names = new String[random.nextInt(MAX_NAMES)];
      Arrays.setAll(names, _ -> name(random));
      String[] expected = names.clone();
      Arrays.sort(expected);

      NameOrder.sort(names);

      assertThat(names).isEqualTo(expected);
    }
  }

  private static String name(Random random) {
    char[] name = new char[random.nextInt(MAX_LENGTH)];
    for (int i = 0; i < name.length; i++) {
      name[i] = CHARACTERS[random.nextInt(CHARACTERS.length)];
    }
    return new String(name);
  }
}
