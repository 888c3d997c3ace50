package dev.contextd.engine.search;

import java.util.Comparator;

/**
 * The order of ids: that of their UTF-8 bytes, unsigned, which is the order of code points.
 *
 * <p>UTF-16 differs from it only where a surrogate meets a unit of U+E000 or above, so those two
 * are exchanged before they are compared.
 */
public final class IdOrder {
  public static final Comparator<String> COMPARATOR = IdOrder::compare;

  private IdOrder() {}

  private static int compare(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        return rank(x) - rank(y);
      }
    }
    return a.length() - b.length();
  }

  private static int rank(char unit) {
    if (unit < Character.MIN_SURROGATE) {
      return unit;
    }
    return Character.isSurrogate(unit) ? unit + 0x2000 : unit - 0x800;
  }
}
