package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Filter.Compare;
import dev.contextd.engine.Filter.Compare.Order;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What counts as a number in a filter, and how numbers are ordered. */
class DecimalTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        " 1",
        "1 ",
        "1e400",
        "-1e400",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "0x10",
        "0x1p3",
        "1_0",
        "1,5",
        "1d",
        "1f",
        "1L",
        ".",
        "-",
        "+",
        "e5",
        "1e",
        "1e+",
        "--1",
        "+-1",
        "1.2.3",
        "1e5.0",
        "٣",
        "１",
        "1\n",
        "one",
        "1e99999999999"
      })
  void isNoNumber(String text) {
    assertThat(Decimal.parse(text).isNone()).isTrue();
    for (Order order : Order.values()) {
      assertThat(new Compare("n", order, Decimal.parse("0")).matches(text)).isFalse();
      assertThat(new Compare("n", order, Decimal.parse(text)).matches("0")).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-0",
        "+1",
        "007",
        ".5",
        "5.",
        "1e3",
        "1E-3",
        "1.5e+10",
        "1e-400",
        "0e99",
        "123456789012345678901234567890"
      })
  void isANumber(String text) {
    assertThat(Decimal.parse(text).isNone()).isFalse();
    assertThat(Decimal.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource({
    "-0, 0",
    "0.0, -0e5",
    "1, 1.0",
    "1e3, 1000",
    ".5, 0.50",
    "+7, 007",
    "1e-400, 0.1e-399",
    "100000000000000000000000001, 1.00000000000000000000000001e26",
  })
  void areEqual(String a, String b) {
    assertThat(Decimal.parse(a)).isEqualByComparingTo(Decimal.parse(b)).isEqualTo(Decimal.parse(b));
    assertThat(Decimal.parse(a)).hasSameHashCodeAs(Decimal.parse(b));
    assertMatches(a, b, Order.GREATER_OR_EQUAL, Order.LESS_OR_EQUAL);
    assertMatches(b, a, Order.GREATER_OR_EQUAL, Order.LESS_OR_EQUAL);
  }

  @ParameterizedTest
  @CsvSource({
    "9, 10",
    "-10, -9",
    "-1, 0",
    "0, 1e-400",
    "1e-401, 1e-400",
    "-1e-400, 0",
    "9007199254740992, 9007199254740993",
    "1790000000000000001, 1790000000000000002",
    "123456789012345678901234567890, 123456789012345678901234567891",
    "0.1, 0.10000000000000000001",
    "-1.7976931348623157e308, 1.7976931348623157e308",
    "1e-999999999, 1e-999999998",
  })
  void areInOrder(String less, String greater) {
    assertThat(Decimal.parse(less)).isLessThan(Decimal.parse(greater));
    assertMatches(less, greater, Order.LESS, Order.LESS_OR_EQUAL);
    assertMatches(greater, less, Order.GREATER, Order.GREATER_OR_EQUAL);
  }

  private static void assertMatches(String value, String bound, Order... expected) {
    List<Order> orders = List.of(expected);
    for (Order order : Order.values()) {
      assertThat(new Compare("n", order, Decimal.parse(bound)).matches(value))
          .as("%s %s %s", value, order, bound)
          .isEqualTo(orders.contains(order));
    }
  }

  @Test
  void aNumberOfMoreThan400CharactersIsNone() {
    assertThat(Decimal.parse("0".repeat(399) + "1").isNone()).isFalse();
    assertThat(Decimal.parse("0".repeat(400) + "1").isNone()).isTrue();
    assertThat(Map.of(Decimal.NONE, 1)).containsKey(Decimal.parse("x"));
  }
}
