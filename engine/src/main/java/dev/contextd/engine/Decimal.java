package dev.contextd.engine;

import java.math.BigDecimal;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A finite decimal number as it stands in a metadata value, compared exactly: integers beyond what
 * a double holds, such as times in nanoseconds, keep their order.
 */
public final class Decimal implements Comparable<Decimal> {
  /** What is no finite decimal. */
  public static final Decimal NONE = new Decimal("", Double.NaN);

  private static final int MAX_CHARACTERS = 400;
  private static final Pattern SYNTAX =
      Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d{1,9})?");

  private final String text;
  private final double approximate;
  private @Nullable BigDecimal exact;

  private Decimal(String text, double approximate) {
    this.text = text;
    this.approximate = approximate;
  }

  /** Parses a number of at most {@value #MAX_CHARACTERS} characters; else {@link #NONE}. */
  public static Decimal parse(String text) {
    if (text.isEmpty() || text.length() > MAX_CHARACTERS || text.charAt(0) > '9') {
      return NONE;
    }
    if (!SYNTAX.matcher(text).matches()) {
      return NONE;
    }
    double approximate = Double.parseDouble(text);
    return Double.isFinite(approximate) ? new Decimal(text, approximate) : NONE;
  }

  public boolean isNone() {
    return Double.isNaN(approximate);
  }

  /** Rounding to double keeps order, so only equal doubles need the exact values. */
  @Override
  public int compareTo(Decimal other) {
    int order = Double.compare(approximate + 0.0, other.approximate + 0.0);
    return order != 0 ? order : exact().compareTo(other.exact());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Decimal decimal
        && isNone() == decimal.isNone()
        && (isNone() || compareTo(decimal) == 0);
  }

  @Override
  public int hashCode() {
    return Double.hashCode(approximate + 0.0);
  }

  @Override
  public String toString() {
    return text;
  }

  private BigDecimal exact() {
    BigDecimal known = exact;
    if (known == null) {
      known = new BigDecimal(text);
      exact = known;
    }
    return known;
  }
}
