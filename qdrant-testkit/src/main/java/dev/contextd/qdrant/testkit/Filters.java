package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.Common.Condition;
import io.qdrant.client.grpc.Common.FieldCondition;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Common.Match;
import io.qdrant.client.grpc.Common.Range;
import io.qdrant.client.grpc.JsonWithInt.Value;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Filters over payloads, with what the recorded answers show: a range on a string finds nothing, a
 * text is contained as it stands, and a field that is missing matches no "except".
 *
 * <p>A list matches if one of its elements does; {@code a.b} looks into structures.
 */
final class Filters {
  private Filters() {}

  static Predicate<Point> predicate(Filter filter) {
    Predicate<Point> all = point -> true;
    for (Condition condition : filter.getMustList()) {
      all = all.and(predicate(condition));
    }
    for (Condition condition : filter.getMustNotList()) {
      all = all.and(predicate(condition).negate());
    }
    if (filter.getShouldCount() > 0) {
      all = all.and(atLeast(1, filter.getShouldList()));
    }
    if (filter.hasMinShould()) {
      all =
          all.and(
              atLeast(
                  filter.getMinShould().getMinCount(), filter.getMinShould().getConditionsList()));
    }
    return all;
  }

  private static Predicate<Point> atLeast(long count, List<Condition> conditions) {
    List<Predicate<Point>> predicates = conditions.stream().map(Filters::predicate).toList();
    return point -> predicates.stream().filter(one -> one.test(point)).count() >= count;
  }

  private static Predicate<Point> predicate(Condition condition) {
    return switch (condition.getConditionOneOfCase()) {
      case FIELD -> field(condition.getField());
      case FILTER -> predicate(condition.getFilter());
      case IS_EMPTY -> point -> isEmpty(point, condition.getIsEmpty().getKey());
      case IS_NULL -> point -> isNull(point, condition.getIsNull().getKey());
      case HAS_ID -> {
        List<String> ids = Ids.canonical(condition.getHasId().getHasIdList());
        yield point -> ids.contains(point.uuid());
      }
      case NESTED, HAS_VECTOR ->
          throw Refusals.notFaked("condition " + condition.getConditionOneOfCase());
      case CONDITIONONEOF_NOT_SET -> throw Refusals.missing("the condition");
    };
  }

  private static Predicate<Point> field(FieldCondition field) {
    String key = field.getKey();
    if (field.hasMatch()) {
      Predicate<Value> match = match(field.getMatch());
      return point -> values(point, key).anyMatch(match);
    }
    if (field.hasRange()) {
      DoublePredicate range = range(field.getRange());
      return point -> values(point, key).anyMatch(value -> isNumberIn(range, value));
    }
    if (field.hasIsEmpty()) {
      return point -> isEmpty(point, key) == field.getIsEmpty();
    }
    if (field.hasIsNull()) {
      return point -> isNull(point, key) == field.getIsNull();
    }
    throw Refusals.notFaked("such condition on " + key);
  }

  private static Predicate<Value> match(Match match) {
    return switch (match.getMatchValueCase()) {
      case KEYWORD -> value -> value.hasStringValue() && is(value, match.getKeyword());
      case TEXT ->
          value -> value.hasStringValue() && value.getStringValue().contains(match.getText());
      case INTEGER ->
          value -> value.hasIntegerValue() && value.getIntegerValue() == match.getInteger();
      case BOOLEAN -> value -> value.hasBoolValue() && value.getBoolValue() == match.getBoolean();
      case KEYWORDS ->
          value ->
              value.hasStringValue()
                  && match.getKeywords().getStringsList().contains(value.getStringValue());
      case EXCEPT_KEYWORDS ->
          value ->
              !value.hasStringValue()
                  || !match.getExceptKeywords().getStringsList().contains(value.getStringValue());
      case INTEGERS ->
          value ->
              value.hasIntegerValue()
                  && match.getIntegers().getIntegersList().contains(value.getIntegerValue());
      case EXCEPT_INTEGERS ->
          value ->
              !value.hasIntegerValue()
                  || !match.getExceptIntegers().getIntegersList().contains(value.getIntegerValue());
      case PHRASE, TEXT_ANY -> throw Refusals.notFaked("match " + match.getMatchValueCase());
      case MATCHVALUE_NOT_SET -> throw Refusals.missing("the match");
    };
  }

  private static boolean is(Value value, String keyword) {
    return value.getStringValue().equals(keyword);
  }

  private static DoublePredicate range(Range range) {
    return number ->
        (!range.hasLt() || number < range.getLt())
            && (!range.hasLte() || number <= range.getLte())
            && (!range.hasGt() || number > range.getGt())
            && (!range.hasGte() || number >= range.getGte());
  }

  private static boolean isNumberIn(DoublePredicate range, Value value) {
    return switch (value.getKindCase()) {
      case INTEGER_VALUE -> range.test((double) value.getIntegerValue());
      case DOUBLE_VALUE -> range.test(value.getDoubleValue());
      case STRING_VALUE, BOOL_VALUE, NULL_VALUE, STRUCT_VALUE, LIST_VALUE, KIND_NOT_SET -> false;
    };
  }

  private static boolean isEmpty(Point point, String key) {
    return values(point, key).allMatch(Value::hasNullValue);
  }

  private static boolean isNull(Point point, String key) {
    return values(point, key).anyMatch(Value::hasNullValue);
  }

  private static Stream<Value> values(Point point, String key) {
    return values(point.payload(), key);
  }

  private static Stream<Value> values(Map<String, Value> fields, String key) {
    Value whole = fields.get(key);
    if (whole != null) {
      return elements(whole);
    }
    int dot = key.indexOf('.');
    Value outer = dot < 0 ? null : fields.get(key.substring(0, dot));
    return outer == null || !outer.hasStructValue()
        ? Stream.empty()
        : values(outer.getStructValue().getFieldsMap(), key.substring(dot + 1));
  }

  private static Stream<Value> elements(Value value) {
    return value.hasListValue() ? value.getListValue().getValuesList().stream() : Stream.of(value);
  }
}
