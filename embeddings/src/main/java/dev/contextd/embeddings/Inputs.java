package dev.contextd.embeddings;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.util.List;

/** What every embedder asks of the texts it is given. */
final class Inputs {

  /** Texts of one call, as the interface promises to its callers. */
  static final int MAX_TEXTS = 1_000;

  private Inputs() {}

  /**
   * Refuses too many texts and blank ones.
   *
   * @throws StoreException {@link ErrorCode#TOO_LARGE} or {@link ErrorCode#INVALID_ARGUMENT}
   */
  static void require(List<String> texts) {
    if (texts.size() > MAX_TEXTS) {
      throw new StoreException(
          ErrorCode.TOO_LARGE,
          "at most %,d texts can be embedded in one call, found %,d; split the call"
              .formatted(MAX_TEXTS, texts.size()));
    }
    for (int i = 0; i < texts.size(); i++) {
      if (texts.get(i).isBlank()) {
        throw blank(i);
      }
    }
  }

  static StoreException blank(int index) {
    return new StoreException(
        ErrorCode.INVALID_ARGUMENT,
        ("the text at index %d must hold something to embed, found only blanks or control "
                + "characters; give a text or send the embedding itself")
            .formatted(index));
  }

  /**
   * The first part of a text, at most {@code maxChars} UTF-16 units, that does not end in the
   * middle of a surrogate pair; the text itself where it is short enough.
   */
  static String firstPart(String text, int maxChars) {
    if (text.length() <= maxChars) {
      return text;
    }
    boolean splitsPair =
        maxChars > 0
            && Character.isHighSurrogate(text.charAt(maxChars - 1))
            && Character.isLowSurrogate(text.charAt(maxChars));
    return text.substring(0, splitsPair ? maxChars - 1 : maxChars);
  }
}
