package dev.contextd.embeddings;

/**
 * The first part of a text, short enough to be handed to a tokenizer, with the same tokens as the
 * text has there.
 *
 * <p>Blanks are collapsed first, so that a table of spaces does not use the room up. What counts as
 * a blank is what BERT's normalizer takes for one: tab, line feed, carriage return and the Unicode
 * separators; other control characters are dropped by it and do not end a word.
 *
 * <p>A part that is not the whole text ends where a word of BERT surely ends, after a blank or a
 * Chinese character (each is a word of its own), as long as there is such a place. Only a cut
 * elsewhere, {@code hardCut}, may have tokens at its end that the text has not.
 *
 * @param text not blank unless the source was
 * @param whole whether nothing but blanks was left out
 * @param hardCut whether the part ends in what may be the middle of a word
 */
record ReadablePart(String text, boolean whole, boolean hardCut) {

  /** The part of at most {@code maxChars} UTF-16 units. */
  static ReadablePart of(String source, int maxChars) {
    StringBuilder part = new StringBuilder(Math.min(source.length(), maxChars));
    int wordEnd = 0;
    boolean blankBefore = false;
    int i = 0;
    while (i < source.length()) {
      int codePoint = source.codePointAt(i);
      i += Character.charCount(codePoint);
      if (isBlank(codePoint)) {
        blankBefore = !part.isEmpty();
        continue;
      }
      if (blankBefore) {
        wordEnd = part.length();
      }
      int needed = (blankBefore ? 1 : 0) + Character.charCount(codePoint);
      if (part.length() + needed > maxChars) {
        boolean hardCut = wordEnd == 0;
        return new ReadablePart(
            hardCut ? part.toString() : part.substring(0, wordEnd), false, hardCut);
      }
      if (blankBefore) {
        part.append(' ');
        blankBefore = false;
      }
      part.appendCodePoint(codePoint);
      if (isChineseCharacter(codePoint)) {
        wordEnd = part.length();
      }
    }
    return new ReadablePart(part.toString(), true, false);
  }

  private static boolean isBlank(int codePoint) {
    return codePoint == '\t'
        || codePoint == '\n'
        || codePoint == '\r'
        || Character.isSpaceChar(codePoint);
  }

  /**
   * The block that all texts in Chinese and Japanese use, which is all that is needed to find a
   * cut.
   */
  private static boolean isChineseCharacter(int codePoint) {
    return codePoint >= 0x4E00 && codePoint <= 0x9FFF;
  }
}
