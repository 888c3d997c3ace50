package dev.contextd.engine.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Decimal;
import dev.contextd.engine.Filter;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;

/** Filters over columns against filters over one document at a time, on random data. */
class MetadataColumnsTest {
  private static final List<String> VALUES =
      List.of("", "a", "b", "0", "-0", "1", "01", "1.0", "2", "10", "1e400", "NaN", "0x10", " 1");

  private final long seed = new Random().nextLong();
  private final Random random = new Random(seed);
  private final RowTable table = new RowTable();
  private final Map<String, Map<String, String>> documents = new TreeMap<>();

  @RepeatedTest(20)
  void columnsFindWhatDocumentsMatch() {
    int fields = random.nextBoolean() ? 5 : MetadataColumns.MAX_COLUMNS + 20;
    for (int round = 0; round < 60; round++) {
      write(fields);
    }
    for (int i = 0; i < 200; i++) {
      Filter filter = filter(fields, 4);
      Set<String> expected = new TreeSet<>();
      documents.forEach((id, metadata) -> {
        if (matches(filter, metadata)) {
          expected.add(id);
        }
      });
      Snapshot snapshot = table.snapshot();
      assertThat(new TreeSet<>(snapshot.matching(filter).stream().map(Row::id).toList()))
          .as("seed %d, filter %s", seed, filter)
          .isEqualTo(expected);
      assertThat(snapshot.count(filter)).isEqualTo(expected.size());
    }
    table
        .snapshot()
        .after(null)
        .forEachRemaining(row ->
            assertThat(row.metadata()).as("seed %d", seed).isEqualTo(documents.get(row.id())));
  }

  /** Adds and replaces some documents, or deletes some, or fails before they are published. */
  private void write(int fields) {
    List<String> ids =
        IntStream.range(0, random.nextInt(1, 40))
            .mapToObj(i -> "doc-" + random.nextInt(300))
            .distinct()
            .toList();
    if (random.nextInt(6) == 0) {
      table.publish(table.stageRemoval(ids));
      documents.keySet().removeAll(ids);
      return;
    }
    Map<String, Map<String, String>> batch = new HashMap<>();
    ids.forEach(id -> batch.put(id, metadata(fields)));
    List<RowTable.Put> puts = new ArrayList<>();
    batch.forEach((id, metadata) -> puts.add(RandomRows.put(id, metadata, 1, 0)));
    RowTable.Staged staged = table.stage(2, puts);
    if (random.nextInt(4) > 0) {
      table.publish(staged);
      documents.putAll(batch);
    } else {
      table.discard(staged);
    }
  }

  private Map<String, String> metadata(int fields) {
    Map<String, String> metadata = new HashMap<>();
    for (int n = random.nextInt(6); n > 0; n--) {
      metadata.put(field(fields), value());
    }
    return Map.copyOf(metadata);
  }

  private String field(int fields) {
    return "f" + random.nextInt(fields);
  }

  private String value() {
    return VALUES.get(random.nextInt(VALUES.size()));
  }

  private Filter filter(int fields, int depth) {
    String field = random.nextInt(20) == 0 ? "nowhere" : field(fields);
    return switch (random.nextInt(depth > 0 ? 9 : 6)) {
      case 0 -> new Filter.Equal(field, value());
      case 1 -> new Filter.NotEqual(field, value());
      case 2 -> new Filter.In(field, Set.copyOf(List.of(value(), value())));
      case 3 -> new Filter.NotIn(field, Set.copyOf(List.of(value(), value())));
      case 4 -> {
        var orders = Filter.Compare.Order.values();
        yield new Filter.Compare(
            field, orders[random.nextInt(orders.length)], Decimal.parse(value()));
      }
      case 5 -> new Filter.Exists(field, random.nextBoolean());
      case 6 -> new Filter.And(filters(fields, depth - 1));
      case 7 -> new Filter.Or(filters(fields, depth - 1));
      default -> new Filter.Not(filter(fields, depth - 1));
    };
  }

  private List<Filter> filters(int fields, int depth) {
    return IntStream.range(0, random.nextInt(4)).mapToObj(i -> filter(fields, depth)).toList();
  }

  private static boolean matches(Filter filter, Map<String, String> metadata) {
    return switch (filter) {
      case Filter.Equal equal -> equal.value().equals(metadata.get(equal.field()));
      case Filter.NotEqual other -> !other.value().equals(metadata.get(other.field()));
      case Filter.In in ->
          metadata.containsKey(in.field()) && in.values().contains(metadata.get(in.field()));
      case Filter.NotIn in ->
          !metadata.containsKey(in.field()) || !in.values().contains(metadata.get(in.field()));
      case Filter.Exists exists -> metadata.containsKey(exists.field()) == exists.expected();
      case Filter.Compare compare -> compares(compare, metadata.get(compare.field()));
      case Filter.And and -> and.all().stream().allMatch(part -> matches(part, metadata));
      case Filter.Or or -> or.any().stream().anyMatch(part -> matches(part, metadata));
      case Filter.Not not -> !matches(not.filter(), metadata);
    };
  }

  private static boolean compares(Filter.Compare compare, @Nullable String value) {
    Optional<BigDecimal> left = number(value == null ? "" : value);
    Optional<BigDecimal> right = number(compare.bound().toString());
    if (left.isEmpty() || right.isEmpty()) {
      return false;
    }
    int order = left.get().compareTo(right.get());
    return switch (compare.order()) {
      case GREATER -> order > 0;
      case GREATER_OR_EQUAL -> order >= 0;
      case LESS -> order < 0;
      case LESS_OR_EQUAL -> order <= 0;
    };
  }

  private static Optional<BigDecimal> number(String text) {
    try {
      return Optional.of(new BigDecimal(text)).filter(n -> Double.isFinite(n.doubleValue()));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
