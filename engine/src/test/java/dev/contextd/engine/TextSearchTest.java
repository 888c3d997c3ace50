package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The search for a text in a content. */
class TextSearchTest {
  @Test
  void findsWhatJavasOwnSearchFinds() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("findsWhatJavasOwnSearchFinds: repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    int found = 0;
    for (int round = 0; round < 20_000; round++) {
      String unit = letters(random, 1 + random.nextInt(4));
      String content = letters(random, random.nextInt(60)) + unit.repeat(random.nextInt(90));
      String text = unit.repeat(10 + random.nextInt(60)) + letters(random, random.nextInt(3));
      boolean expected = content.contains(text);
      assertThat(TextSearch.contains(content, text))
          .as("%s in %s", text, content)
          .isEqualTo(expected);
      found += expected ? 1 : 0;
    }
    assertThat(found).isBetween(1_000, 19_000);
  }

  private static String letters(Random random, int count) {
    StringBuilder letters = new StringBuilder();
    for (int i = 0; i < count; i++) {
      letters.append(random.nextInt(10) == 0 ? 'b' : 'a');
    }
    return letters.toString();
  }

  /** Were each place of the content compared with the whole text, this would take an hour. */
  @Test
  void textsThatRepeatThemselvesAreSearchedInReasonableTime() {
    String content = "a".repeat(8 << 20);
    String text = "a".repeat(4 << 20) + "b";
    assertThat(TextSearch.contains(content, text)).isFalse();
    assertThat(TextSearch.contains(content + "b", text)).isTrue();
  }
}
