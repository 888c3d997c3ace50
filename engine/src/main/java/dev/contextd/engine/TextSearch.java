package dev.contextd.engine;

/**
 * Whether a text stands in another, in time that grows with the sum of their lengths: Java's own
 * search takes their product where both repeat themselves. Source: Knuth, Morris and Pratt, 1977.
 */
final class TextSearch {
  /** Up to so many characters Java's own search is the quicker one, whatever the texts are. */
  private static final int SHORT_CHARACTERS = 64;

  private TextSearch() {}

  static boolean contains(String content, String text) {
    if (text.length() <= SHORT_CHARACTERS || text.length() > content.length()) {
      return content.contains(text);
    }
    int[] borders = borders(text);
    int matched = 0;
    for (int i = 0; i < content.length(); i++) {
      matched = next(text, borders, matched, content.charAt(i));
      if (matched == text.length()) {
        return true;
      }
    }
    return false;
  }

  /** For each beginning of the text, the longest shorter beginning that is also its end. */
  private static int[] borders(String text) {
    int[] borders = new int[text.length()];
    for (int i = 1; i < text.length(); i++) {
      borders[i] = next(text, borders, borders[i - 1], text.charAt(i));
    }
    return borders;
  }

  private static int next(String text, int[] borders, int matched, char unit) {
    int length = matched;
    while (length > 0 && text.charAt(length) != unit) {
      length = borders[length - 1];
    }
    return text.charAt(length) == unit ? length + 1 : length;
  }
}
