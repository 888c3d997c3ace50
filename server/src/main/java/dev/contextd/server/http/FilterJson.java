package dev.contextd.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.Decimal;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Filter;
import dev.contextd.engine.Filter.Compare.Order;
import dev.contextd.engine.Limits;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.TextFilter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The filters {@code where} and {@code where_document} from JSON. */
final class FilterJson {
  private FilterJson() {}

  /**
   * Reads {@code where}: fields with a value or operators, all of which must hold, and {@code
   * $and}, {@code $or}, {@code $not}. An empty object matches everything.
   */
  static Filter where(JsonNode json) {
    return where(json, "where", 1);
  }

  /** Reads {@code where_document}. */
  static TextFilter whereDocument(JsonNode json) {
    TextFilter filter = whereDocument(json, "where_document", 1);
    int conditions = conditions(filter);
    if (conditions > Limits.MAX_FILTER_CONDITIONS) {
      throw invalid(
          "where_document has %d conditions, at most %d are allowed"
              .formatted(conditions, Limits.MAX_FILTER_CONDITIONS));
    }
    return filter;
  }

  private static int conditions(TextFilter filter) {
    return switch (filter) {
      case TextFilter.And and -> and.all().stream().mapToInt(FilterJson::conditions).sum();
      case TextFilter.Or or -> or.any().stream().mapToInt(FilterJson::conditions).sum();
      case TextFilter.Contains _, TextFilter.NotContains _ -> 1;
    };
  }

  /** Whether a filter is true of every document, as is one without any condition. */
  static boolean sparesNothing(Filter filter) {
    return filter.fields().isEmpty() || isAlways(true, filter);
  }

  /** Whether a filter has this value whatever the metadata are. */
  private static boolean isAlways(boolean value, Filter filter) {
    return switch (filter) {
      case Filter.And and -> isAlways(value, and.all(), value);
      case Filter.Or or -> isAlways(value, or.any(), !value);
      case Filter.Not not -> isAlways(!value, not.filter());
      case Filter.In in -> !value && in.values().isEmpty();
      case Filter.NotIn notIn -> value && notIn.values().isEmpty();
      case Filter.Condition _ -> false;
    };
  }

  private static boolean isAlways(boolean value, List<Filter> parts, boolean needsAll) {
    return needsAll
        ? parts.stream().allMatch(part -> isAlways(value, part))
        : parts.stream().anyMatch(part -> isAlways(value, part));
  }

  private static Filter where(JsonNode json, String place, int depth) {
    requireObject(json, place, depth);
    List<Filter> all = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      String key = entry.getKey();
      String inner = place + "." + key;
      all.add(
          switch (key) {
            case "$and" -> new Filter.And(parts(entry.getValue(), inner, depth));
            case "$or" -> new Filter.Or(parts(entry.getValue(), inner, depth));
            case "$not" -> new Filter.Not(where(entry.getValue(), inner, depth + 1));
            default -> {
              if (key.startsWith("$")) {
                throw invalid(inner + " is no operator; known are $and, $or, $not");
              }
              yield field(key, entry.getValue(), inner);
            }
          });
    }
    return all.size() == 1 ? all.getFirst() : new Filter.And(all);
  }

  private static List<Filter> parts(JsonNode json, String place, int depth) {
    requireList(json, place);
    List<Filter> parts = new ArrayList<>();
    for (int i = 0; i < json.size(); i++) {
      parts.add(where(json.get(i), place + "[" + i + "]", depth + 1));
    }
    return parts;
  }

  private static Filter field(String field, JsonNode json, String place) {
    if (json.isTextual()) {
      return new Filter.Equal(field, json.textValue());
    }
    if (!json.isObject() || json.isEmpty()) {
      throw invalid(place + " must be a string or an object of operators, found " + describe(json));
    }
    List<Filter> all = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      all.add(operator(field, entry.getKey(), entry.getValue(), place + "." + entry.getKey()));
    }
    return all.size() == 1 ? all.getFirst() : new Filter.And(all);
  }

  private static Filter operator(String field, String operator, JsonNode json, String place) {
    return switch (operator) {
      case "$eq" -> new Filter.Equal(field, text(json, place));
      case "$ne" -> new Filter.NotEqual(field, text(json, place));
      case "$in" -> new Filter.In(field, texts(json, place));
      case "$nin" -> new Filter.NotIn(field, texts(json, place));
      case "$gt" -> new Filter.Compare(field, Order.GREATER, number(json, place));
      case "$gte" -> new Filter.Compare(field, Order.GREATER_OR_EQUAL, number(json, place));
      case "$lt" -> new Filter.Compare(field, Order.LESS, number(json, place));
      case "$lte" -> new Filter.Compare(field, Order.LESS_OR_EQUAL, number(json, place));
      case "$exists" -> {
        if (!json.isBoolean()) {
          throw invalid(place + " must be true or false, found " + describe(json));
        }
        yield new Filter.Exists(field, json.booleanValue());
      }
      default ->
          throw invalid(
              place
                  + " is no operator; known are $eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists");
    };
  }

  private static String text(JsonNode json, String place) {
    if (!json.isTextual()) {
      throw invalid(place + " must be a string, found " + describe(json));
    }
    return json.textValue();
  }

  private static Set<String> texts(JsonNode json, String place) {
    requireList(json, place);
    if (json.size() > Limits.MAX_FILTER_VALUES) {
      throw invalid(
          "%s has %d values, at most %d are allowed"
              .formatted(place, json.size(), Limits.MAX_FILTER_VALUES));
    }
    Set<String> texts = new LinkedHashSet<>();
    for (int i = 0; i < json.size(); i++) {
      texts.add(text(json.get(i), place + "[" + i + "]"));
    }
    return texts;
  }

  /** A JSON number, or a string; a string that is no finite decimal makes the condition false. */
  private static Decimal number(JsonNode json, String place) {
    if (!json.isTextual() && !json.isNumber()) {
      throw invalid(place + " must be a number or a string, found " + describe(json));
    }
    return Decimal.parse(json.asText());
  }

  private static TextFilter whereDocument(JsonNode json, String place, int depth) {
    requireObject(json, place, depth);
    List<TextFilter> all = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      JsonNode value = entry.getValue();
      String inner = place + "." + entry.getKey();
      all.add(
          switch (entry.getKey()) {
            case "$contains" -> new TextFilter.Contains(text(value, inner));
            case "$not_contains" -> new TextFilter.NotContains(text(value, inner));
            case "$and" -> new TextFilter.And(textParts(value, inner, depth));
            case "$or" -> new TextFilter.Or(textParts(value, inner, depth));
            default ->
                throw invalid(
                    inner + " is no operator; known are $contains, $not_contains, $and, $or");
          });
    }
    return all.size() == 1 ? all.getFirst() : new TextFilter.And(all);
  }

  private static List<TextFilter> textParts(JsonNode json, String place, int depth) {
    requireList(json, place);
    List<TextFilter> parts = new ArrayList<>();
    for (int i = 0; i < json.size(); i++) {
      parts.add(whereDocument(json.get(i), place + "[" + i + "]", depth + 1));
    }
    return parts;
  }

  private static void requireObject(JsonNode json, String place, int depth) {
    if (depth > Limits.MAX_FILTER_DEPTH) {
      throw invalid(place + " nests deeper than " + Limits.MAX_FILTER_DEPTH + " levels");
    }
    if (!json.isObject()) {
      throw invalid(place + " must be an object, found " + describe(json));
    }
  }

  private static void requireList(JsonNode json, String place) {
    if (!json.isArray()) {
      throw invalid(place + " must be a list, found " + describe(json));
    }
  }

  private static String describe(JsonNode json) {
    if (json.isNull()) {
      return "null";
    }
    String type = json.getNodeType().toString().toLowerCase(Locale.ROOT);
    boolean isEmptyObject = json.isObject() && json.isEmpty();
    return (isEmptyObject ? "an empty " : json.isContainerNode() ? "an " : "a ") + type;
  }

  private static StoreException invalid(String message) {
    return new StoreException(ErrorCode.INVALID_FILTER, message);
  }
}
