package dev.contextd.embeddings;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bounded tokenizer beside the same vocabulary on the whole text. */
class TokenizerTest {

  private static final String FILE = "/bge-small-en-v1.5-q-tokenizer.json";
  private static final long CLS = 101;
  private static final long SEP = 102;

  private static Tokenizer bounded;
  private static HuggingFaceTokenizer whole;

  @BeforeAll
  static void load() throws IOException {
    try (InputStream json = Objects.requireNonNull(TokenizerTest.class.getResourceAsStream(FILE))) {
      bounded = Tokenizer.load(json);
    }
    try (InputStream json = Objects.requireNonNull(TokenizerTest.class.getResourceAsStream(FILE))) {
      whole =
          HuggingFaceTokenizer.newInstance(json, Map.of("padding", "false", "truncation", "false"));
    }
  }

  @AfterAll
  static void close() {
    bounded.close();
    whole.close();
  }

  private static void assertFirstTokens(String text) {
    long[] all = whole.encode(text, true, false).getIds();
    Tokenizer.Tokens tokens = bounded.tokenize(text);
    boolean fits = all.length <= Tokenizer.MAX_TOKENS;
    int pieces = fits ? all.length - 2 : Tokenizer.MAX_WORD_PIECES;
    assertThat(tokens.truncated()).isEqualTo(!fits);
    assertThat(tokens.ids()).hasSize(pieces + 2).startsWith(CLS).endsWith(SEP);
    assertThat(Arrays.copyOf(tokens.ids(), pieces + 1)).isEqualTo(Arrays.copyOf(all, pieces + 1));
  }

  @Test
  void theLimitIsExact() {
    assertThat(bounded.tokenize("cat ".repeat(510)).truncated()).isFalse();
    assertThat(bounded.tokenize("cat ".repeat(511)).truncated()).isTrue();
    assertThat(bounded.tokenize("cat ".repeat(510) + " \n ".repeat(9_999)).truncated()).isFalse();
    assertThat(bounded.tokenize("cat ".repeat(510)).ids()).hasSize(512);
    assertThat(bounded.tokenize("cat ".repeat(511)).ids())
        .isEqualTo(bounded.tokenize("cat ".repeat(510)).ids());
  }

  @Test
  void wordsOfAllLanguagesAndLengthsHaveTheTokensOfTheWholeText() {
    long seed = new Random().nextLong();
    System.out.println("TokenizerTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 300; i++) {
      assertFirstTokens(randomText(random));
    }
  }

  private static String randomText(Random random) {
    List<String> alphabets =
        List.of(
            "abcdefghijklmnopqrstuvwxyz",
            "ABC\u00e4\u00f6\u00fc\u00e9\u0130\u03a3\u03c2",
            "0123456789.,;:!?()[]{}<>#+-*/=_",
            "\u65e5\u672c\u8a9e\u4e2d\u6587",
            "\u0410\u0411\u0412\u0430\u0431\u0432",
            "\u0301a\u0308o\u0327c",
            "\u0000\u000b\u001c\u0085\u200b\ufffd",
            "\u3053\u3093\u306b\ud55c\uad6d");
    List<String> blanks = List.of(" ", "\n", "\t", "\u00a0", "\u3000", "\u2028", "      \r\n   ");
    StringBuilder text = new StringBuilder();
    int words = random.nextInt(random.nextBoolean() ? 20 : 1_500);
    int longest = random.nextBoolean() ? 10 : 100;
    for (int i = 0; i < words; i++) {
      String alphabet = alphabets.get(random.nextInt(alphabets.size()));
      for (int length = 1 + random.nextInt(longest); length > 0; length--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      if (random.nextInt(20) == 0) {
        text.append("\uD83C\uDF89[SEP]");
      }
      text.append(blanks.get(random.nextInt(blanks.size())));
    }
    return text.toString();
  }

  @Test
  void theLongestWordsOfTheVocabularysReachStillFitTheBound() {
    // 509 words of 100 characters outside the basic plane: no text of words is longer.
    String word = "\uD835\uDC00".repeat(100);
    assertFirstTokens((word + " ").repeat(509) + "end");
    assertFirstTokens((word + " ").repeat(511));
  }

  @Test
  void aLongWordCutByTheFirstLookDoesNotCountByItsPieces() {
    // Whole, the last word is one unknown token; cut after 90 of 150 characters it would be many.
    String untilWord = ("\u1200".repeat(99) + ".").repeat(36) + "x.".repeat(203);
    assertThat(untilWord).hasSize(Tokenizer.FIRST_LOOK_CHARS - 90);
    assertFirstTokens(untilWord + "qz".repeat(75) + ".end".repeat(300));
  }

  @Test
  void moreThanIsEverTokenizedIsSaidToBeTruncated() {
    // One word of a million characters is a single unknown token: few tokens, but not all was read.
    Tokenizer.Tokens word = bounded.tokenize("a".repeat(1 << 20));
    assertThat(word.ids()).hasSize(3);
    assertThat(word.truncated()).isTrue();
  }

  @Test
  void textOfTheLargestSizeIsBounded() {
    int size = 32 << 20;
    assertThat(bounded.tokenize("a".repeat(size)).truncated()).isTrue();
    assertThat(bounded.tokenize("cat ".repeat(size / 4)).truncated()).isTrue();
    assertThat(bounded.tokenize(" ".repeat(size - 1) + "a").truncated()).isFalse();
    assertThat(bounded.tokenize("\u0000".repeat(size)).isEmpty()).isTrue();
  }

  @Test
  void loneSurrogatesAndControlCharactersDoNoHarm() {
    assertThat(bounded.tokenize("x\uD800y").isEmpty()).isFalse();
    assertThat(bounded.tokenize("\uDC00").ids()).isNotEmpty();
    assertThat(bounded.tokenize("\u0000\u200b\u0301").isEmpty()).isTrue();
  }
}
