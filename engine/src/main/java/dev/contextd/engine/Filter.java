package dev.contextd.engine;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A condition on a document's metadata. Metadata values are strings.
 *
 * <p>{@link NotEqual}, {@link NotIn} and {@link Not} match where the field is missing; {@link
 * Compare} matches where both sides are finite decimals in that order, and nowhere else.
 */
public sealed interface Filter {

  /** A condition on one field. */
  sealed interface Condition extends Filter {
    String field();

    /**
     * Whether it holds for a value of the field.
     *
     * @param value null where the field is missing
     */
    boolean matches(@Nullable String value);
  }

  /** {@code $eq}. */
  record Equal(String field, String value) implements Condition {
    @Override
    public boolean matches(@Nullable String found) {
      return value.equals(found);
    }
  }

  /** {@code $ne}. */
  record NotEqual(String field, String value) implements Condition {
    @Override
    public boolean matches(@Nullable String found) {
      return !value.equals(found);
    }
  }

  /** {@code $in}. */
  record In(String field, Set<String> values) implements Condition {
    public In {
      values = limited(values);
    }

    @Override
    public boolean matches(@Nullable String found) {
      return found != null && values.contains(found);
    }
  }

  /** {@code $nin}. */
  record NotIn(String field, Set<String> values) implements Condition {
    public NotIn {
      values = limited(values);
    }

    @Override
    public boolean matches(@Nullable String found) {
      return found == null || !values.contains(found);
    }
  }

  /** {@code $gt}, {@code $gte}, {@code $lt}, {@code $lte}. */
  record Compare(String field, Order order, Decimal bound) implements Condition {

    /** The order a value must stand in to the bound. */
    public enum Order {
      GREATER,
      GREATER_OR_EQUAL,
      LESS,
      LESS_OR_EQUAL
    }

    @Override
    public boolean matches(@Nullable String found) {
      Decimal value = found == null ? Decimal.NONE : Decimal.parse(found);
      if (value.isNone() || bound.isNone()) {
        return false;
      }
      int order = value.compareTo(bound);
      return switch (this.order) {
        case GREATER -> order > 0;
        case GREATER_OR_EQUAL -> order >= 0;
        case LESS -> order < 0;
        case LESS_OR_EQUAL -> order <= 0;
      };
    }
  }

  /** {@code $exists}. */
  record Exists(String field, boolean expected) implements Condition {
    @Override
    public boolean matches(@Nullable String found) {
      return expected == (found != null);
    }
  }

  /** {@code $and}; of nothing it matches everything. One inside another adds its parts to it. */
  record And(List<Filter> all) implements Filter {
    public And {
      all =
          all.stream()
              .flatMap(part -> part instanceof And and ? and.all().stream() : Stream.of(part))
              .collect(Collectors.toUnmodifiableList());
    }
  }

  /** {@code $or}; of nothing it matches nothing. */
  record Or(List<Filter> any) implements Filter {
    public Or {
      any = List.copyOf(any);
    }
  }

  /** {@code $not}. */
  record Not(Filter filter) implements Filter {}

  /** Whether it holds for a document's metadata. */
  default boolean holdsFor(Map<String, String> metadata) {
    return switch (this) {
      case And and -> and.all().stream().allMatch(part -> part.holdsFor(metadata));
      case Or or -> or.any().stream().anyMatch(part -> part.holdsFor(metadata));
      case Not not -> !not.filter().holdsFor(metadata);
      case Condition condition -> condition.matches(metadata.get(condition.field()));
    };
  }

  /** The fields it names, each as often as it does; none where it has no condition at all. */
  default List<String> fields() {
    return switch (this) {
      case And and -> and.all().stream().flatMap(part -> part.fields().stream()).toList();
      case Or or -> or.any().stream().flatMap(part -> part.fields().stream()).toList();
      case Not not -> not.filter().fields();
      case Condition condition -> List.of(condition.field());
    };
  }

  private static Set<String> limited(Set<String> values) {
    if (values.size() > Limits.MAX_FILTER_VALUES) {
      throw new StoreException(
          ErrorCode.INVALID_FILTER,
          "$in takes at most " + Limits.MAX_FILTER_VALUES + " values, found " + values.size());
    }
    return Set.copyOf(values);
  }
}
