package dev.contextd.embeddings;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Map;

/**
 * The model's own tokenizer: BERT's word pieces, lower case, without accents. Safe for many
 * threads.
 *
 * <p>How much of a text it is given is bounded. {@value #MAX_CHARS} UTF-16 units hold all that the
 * model reads of a text of words: after a word of more than 100 characters the vocabulary gives up,
 * so {@value #MAX_WORD_PIECES} word pieces are at most as many words of 100 characters (200 UTF-16
 * units) and a blank, 102,510 units. Only a text with longer words (data, not language) or with
 * characters that the normalizer drops may have fewer pieces in that part; it is embedded from it
 * all the same, and said to be truncated.
 */
final class Tokenizer implements AutoCloseable {

  /** Positions of the model, {@code [CLS]} and {@code [SEP]} included; it fails beyond them. */
  static final int MAX_TOKENS = 512;

  /** What is left for the text itself. */
  static final int MAX_WORD_PIECES = MAX_TOKENS - 2;

  /** UTF-16 units that are enough for {@value #MAX_WORD_PIECES} pieces of most texts. */
  static final int FIRST_LOOK_CHARS = 4_096;

  /** UTF-16 units of a text that are ever tokenized. */
  static final int MAX_CHARS = 131_072;

  private static final String OFFLINE = "ai.djl.offline";

  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Loads the tokenizer's native library and vocabulary.
   *
   * <p>The library would report each start to its authors from machines at Amazon, ask
   * 169.254.169.254 elsewhere, and fetch another build of itself where it finds a GPU. A local
   * model has no business on the network, so it is told to be offline while it loads; nothing of it
   * asks later.
   */
  static Tokenizer load(InputStream json) throws IOException {
    String before = System.getProperty(OFFLINE);
    System.setProperty(OFFLINE, "true");
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(
              json, Map.of("padding", "false", "truncation", "false")));
    } finally {
      if (before == null) {
        System.clearProperty(OFFLINE);
      } else {
        System.setProperty(OFFLINE, before);
      }
    }
  }

  /**
   * The ids of a text's first tokens.
   *
   * @param ids {@code long[2..512]}, from {@code [CLS]} to {@code [SEP]}
   * @param truncated whether the text goes on after them
   */
  record Tokens(long[] ids, boolean truncated) {

    /** Whether the text has nothing that the model reads. */
    boolean isEmpty() {
      return ids.length <= MAX_TOKENS - MAX_WORD_PIECES;
    }
  }

  Tokens tokenize(String text) {
    ReadablePart part = ReadablePart.of(text, FIRST_LOOK_CHARS);
    long[] ids = encode(part);
    boolean decided = part.whole() || (ids.length > MAX_TOKENS && !part.hardCut());
    if (!decided) {
      part = ReadablePart.of(text, MAX_CHARS);
      ids = encode(part);
    }
    return ids.length > MAX_TOKENS
        ? new Tokens(firstTokens(ids), true)
        : new Tokens(ids, !part.whole());
  }

  private long[] encode(ReadablePart part) {
    return tokenizer.encode(part.text(), true, false).getIds();
  }

  private static long[] firstTokens(long[] ids) {
    long[] first = Arrays.copyOf(ids, MAX_TOKENS);
    first[MAX_TOKENS - 1] = ids[ids.length - 1]; // [SEP]
    return first;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
