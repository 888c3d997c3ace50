package dev.contextd.qdrant;

import dev.contextd.engine.Filter;
import io.qdrant.client.grpc.Common.Condition;
import io.qdrant.client.grpc.Common.FieldCondition;
import io.qdrant.client.grpc.Common.HasIdCondition;
import io.qdrant.client.grpc.Common.IsEmptyCondition;
import io.qdrant.client.grpc.Common.Match;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.Common.Range;
import io.qdrant.client.grpc.Common.RepeatedStrings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A filter in Qdrant's terms: one that lets through at least every document that ours lets through,
 * and more where Qdrant cannot tell. What comes back is then held against ours, so that both stores
 * answer alike.
 *
 * <p>Qdrant's ranges find nothing in texts, and a key with anything but letters, digits, {@code _}
 * and {@code -} would be taken for a path into nested values: such conditions let everything
 * through that has the field, or everything.
 */
final class Conditions {
  private static final Pattern PLAIN_KEY = Pattern.compile("[\\p{L}\\p{N}_-]+");

  private Conditions() {}

  /** Lets through some points, of those that another condition lets through. */
  static Condition among(List<PointId> ids, Optional<Condition> condition) {
    return both(hasId(ids), condition);
  }

  /** Lets through what another condition lets through, without some points. */
  static Condition without(List<PointId> ids, Optional<Condition> condition) {
    return both(none(hasId(ids)), condition);
  }

  private static Condition hasId(List<PointId> ids) {
    return Condition.newBuilder().setHasId(HasIdCondition.newBuilder().addAllHasId(ids)).build();
  }

  private static Condition both(Condition one, Optional<Condition> other) {
    return other.flatMap(more -> all(List.of(one, more))).orElse(one);
  }

  /** Lets through at least what the filter does; empty where that is everything. */
  static Optional<Condition> wider(Filter filter) {
    return switch (filter) {
      case Filter.And and -> all(and.all().stream().flatMap(one -> wider(one).stream()).toList());
      case Filter.Or or -> {
        List<Optional<Condition>> parts = or.any().stream().map(Conditions::wider).toList();
        yield parts.stream().allMatch(Optional::isPresent) && !parts.isEmpty()
            ? any(parts.stream().flatMap(Optional::stream).toList())
            : Optional.empty();
      }
      case Filter.Not not -> narrower(not.filter()).map(Conditions::none);
      case Filter.Condition condition -> ofField(condition);
    };
  }

  /** Lets through at most what the filter does; empty where that is nothing. */
  private static Optional<Condition> narrower(Filter filter) {
    return switch (filter) {
      case Filter.Equal equal -> plain(equal.field()).map(key -> keyword(key, equal.value()));
      case Filter.In in ->
          in.values().isEmpty()
              ? Optional.empty()
              : plain(in.field()).map(key -> keywords(key, in.values()));
      case Filter.And and -> {
        List<Optional<Condition>> parts = and.all().stream().map(Conditions::narrower).toList();
        yield parts.stream().allMatch(Optional::isPresent) && !parts.isEmpty()
            ? all(parts.stream().flatMap(Optional::stream).toList())
            : Optional.empty();
      }
      case Filter.Or or -> any(or.any().stream().flatMap(one -> narrower(one).stream()).toList());
      case Filter.NotEqual _, Filter.NotIn _, Filter.Compare _, Filter.Exists _, Filter.Not _ ->
          Optional.empty();
    };
  }

  private static Optional<Condition> ofField(Filter.Condition condition) {
    Optional<String> key = plain(condition.field());
    return switch (condition) {
      case Filter.Equal equal -> key.flatMap(found -> equal(found, equal.value()));
      case Filter.In in ->
          key.flatMap(found -> {
            List<Condition> values = new ArrayList<>();
            if (!in.values().isEmpty()) {
              values.add(keywords(found, in.values()));
            }
            in.values().forEach(value -> values.addAll(otherTypes(found, value)));
            return any(values);
          });
      case Filter.NotEqual different -> key.map(found -> none(keyword(found, different.value())));
      case Filter.NotIn different ->
          key.filter(_ -> !different.values().isEmpty())
              .map(found -> none(keywords(found, different.values())));
      case Filter.Exists exists ->
          // What is null, a list or an object is read as no field at all.
          exists.expected() ? key.map(found -> none(isEmpty(found))) : Optional.empty();
      case Filter.Compare _ -> key.map(found -> none(isEmpty(found)));
    };
  }

  /** Whether a field's name is taken by Qdrant for what it is. */
  static boolean isPlain(String field) {
    return PLAIN_KEY.matcher(field).matches();
  }

  private static Optional<String> plain(String field) {
    return Optional.of(field).filter(Conditions::isPlain);
  }

  /** Another program may have written a number or a truth value, which is read as its text. */
  private static Optional<Condition> equal(String key, String value) {
    List<Condition> values = new ArrayList<>(List.of(keyword(key, value)));
    values.addAll(otherTypes(key, value));
    return any(values);
  }

  private static List<Condition> otherTypes(String key, String value) {
    List<Condition> others = new ArrayList<>();
    if (value.equals("true") || value.equals("false")) {
      others.add(field(key, Match.newBuilder().setBoolean(Boolean.parseBoolean(value)).build()));
    }
    try {
      double number = Double.parseDouble(value);
      others.add(
          Condition.newBuilder()
              .setField(
                  FieldCondition.newBuilder()
                      .setKey(key)
                      .setRange(Range.newBuilder().setGte(number).setLte(number)))
              .build());
    } catch (NumberFormatException e) {
      // It is no number: nothing but a text can be equal to it.
    }
    return others;
  }

  private static Condition keyword(String key, String value) {
    return field(key, Match.newBuilder().setKeyword(value).build());
  }

  private static Condition keywords(String key, Iterable<String> values) {
    return field(
        key,
        Match.newBuilder().setKeywords(RepeatedStrings.newBuilder().addAllStrings(values)).build());
  }

  private static Condition field(String key, Match match) {
    return Condition.newBuilder()
        .setField(FieldCondition.newBuilder().setKey(key).setMatch(match))
        .build();
  }

  private static Condition isEmpty(String key) {
    return Condition.newBuilder().setIsEmpty(IsEmptyCondition.newBuilder().setKey(key)).build();
  }

  private static Condition none(Condition condition) {
    return nested(io.qdrant.client.grpc.Common.Filter.newBuilder().addMustNot(condition));
  }

  private static Optional<Condition> all(List<Condition> conditions) {
    return conditions.size() < 2
        ? conditions.stream().findFirst()
        : Optional.of(
            nested(io.qdrant.client.grpc.Common.Filter.newBuilder().addAllMust(conditions)));
  }

  private static Optional<Condition> any(List<Condition> conditions) {
    return conditions.size() < 2
        ? conditions.stream().findFirst()
        : Optional.of(
            nested(io.qdrant.client.grpc.Common.Filter.newBuilder().addAllShould(conditions)));
  }

  private static Condition nested(io.qdrant.client.grpc.Common.Filter.Builder filter) {
    return Condition.newBuilder().setFilter(filter).build();
  }
}
