package dev.contextd.engine.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Filter;
import dev.contextd.engine.TextFilter;
import dev.contextd.engine.search.ExactSearch.Ranked;
import dev.contextd.engine.search.ExactSearch.Restriction;
import dev.contextd.storage.parallel.Workers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The search against a sort of all documents in double precision: the same ids, the same scores to
 * the last bit, whichever kernel scanned and however many threads.
 */
class ExactSearchTest {
  private static final Restriction NONE = new Restriction(Optional.empty(), Optional.empty());

  private final List<ExactSearch> searches =
      List.of(
          new ExactSearch(new ScalarDotKernel(), Workers.common()),
          new ExactSearch(new VectorDotKernel(), Workers.common()));

  record Scored(String id, double score) {}

  private static List<Scored> naive(
      List<RowTable.Put> documents, float[] query, int limit, Predicate<RowTable.Put> filter) {
    return documents.stream()
        .filter(filter)
        .map(put -> new Scored(put.id(), cosine(query, put.embedding())))
        .sorted(
            Comparator.comparingDouble(Scored::score)
                .reversed()
                .thenComparing(scored -> utf8(scored.id()), Arrays::compareUnsigned))
        .limit(limit)
        .toList();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double squareA = 0;
    double squareB = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      squareA += (double) a[i] * a[i];
      squareB += (double) b[i] * b[i];
    }
    return Math.clamp(dot / (Math.sqrt(squareA) * Math.sqrt(squareB)), -1, 1);
  }

  private void assertSame(
      RowTable table,
      List<RowTable.Put> documents,
      float[] query,
      int limit,
      Restriction restriction,
      Predicate<RowTable.Put> filter,
      String description) {
    List<Scored> expected = naive(documents, query, limit, filter);
    for (ExactSearch search : searches) {
      List<Ranked> found = search.search(table.snapshot(), query, limit, restriction);
      assertThat(found)
          .extracting(ranked -> new Scored(ranked.row().id(), ranked.score()))
          .as(description)
          .containsExactlyElementsOf(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 15, 16, 17, 100, 384, 768})
  void findsWhatSortingEverythingFinds(int dimension) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<RowTable.Put> documents = documents(random, dimension, 60);
    RowTable table = new RowTable();
    table.load(dimension, List.of(), documents);
    for (int limit = 1; limit <= documents.size() + 5; limit++) {
      float[] query = query(random, documents);
      String description = "seed %d, limit %d".formatted(seed, limit);
      assertSame(table, documents, query, limit, NONE, put -> true, description);
      assertSame(
          table,
          documents,
          query,
          limit,
          new Restriction(
              Optional.of(new Filter.Equal("third", "0")),
              Optional.of(new TextFilter.Contains("7"))),
          put -> put.metadata().containsValue("0") && put.content().contains("7"),
          description);
    }
  }

  /** Random directions, duplicates, near duplicates, opposites, and lengths other than one. */
  private static List<RowTable.Put> documents(Random random, int dimension, int count) {
    List<RowTable.Put> documents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      float[] vector = RandomRows.unit(random, dimension);
      if (i > 0) {
        float[] other = documents.get(random.nextInt(i)).embedding();
        switch (random.nextInt(6)) {
          case 0 -> vector = other.clone();
          case 1 -> {
            vector = other.clone();
            vector[random.nextInt(dimension)] += Math.ulp(vector[0]);
          }
          case 2 -> vector = Vectors.scaled(other, -1);
          case 3 -> vector = Vectors.scaled(other, random.nextDouble(1e-3, 1e3));
          default -> {}
        }
      }
      String id = (random.nextBoolean() ? "\ud83d\udea8" : "\uffff") + "doc-" + i;
      documents.add(RandomRows.put(id, Map.of("third", Integer.toString(i % 3)), vector));
    }
    return documents;
  }

  private static float[] query(Random random, List<RowTable.Put> documents) {
    float[] vector = documents.get(random.nextInt(documents.size())).embedding();
    return random.nextBoolean()
        ? Vectors.scaled(vector, random.nextDouble(0.1, 10))
        : RandomRows.unit(random, vector.length);
  }

  @ParameterizedTest
  @CsvSource({"16, 70000", "384, 6000"})
  void findsTheSameWithManyThreadsAndChunks(int dimension, int count) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<RowTable.Put> documents = documents(random, dimension, count);
    RowTable table = new RowTable();
    table.load(dimension, List.of(), documents);
    for (int limit : new int[] {1, 10, 100, count}) {
      float[] query = query(random, documents);
      String description = "seed %d, limit %d".formatted(seed, limit);
      assertSame(table, documents, query, limit, NONE, put -> true, description);
      assertSame(
          table,
          documents,
          query,
          limit,
          new Restriction(Optional.of(new Filter.NotEqual("third", "1")), Optional.empty()),
          put -> !put.metadata().containsValue("1"),
          description);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 5_000})
  void equalScoresComeInTheOrderOfIds(int limit) {
    List<RowTable.Put> documents = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      documents.add(RandomRows.put("doc-%04d".formatted(i * 37 % 5_000), Map.of(), 0.6f, 0.8f));
    }
    RowTable table = new RowTable();
    table.load(2, List.of(), documents);
    assertSame(table, documents, new float[] {1, 0}, limit, NONE, put -> true, "equal scores");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void findsNothingDeadAndNothingUnpublished(boolean compacting) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int count = compacting ? 3_000 : 500;
    List<RowTable.Put> documents = documents(random, 16, count);
    RowTable table = new RowTable();
    documents.forEach(put -> table.publish(table.stage(16, List.of(put))));
    Snapshot before = table.snapshot();
    List<RowTable.Put> elder = List.copyOf(documents);
    // It fails to reach the disk, and is never published.
    table.discard(table.stage(16, documents(random, 16, 40)));
    for (int round = 0; round < 2; round++) {
      List<RowTable.Put> replaced = new ArrayList<>();
      for (int i = 0; i < count; i += 2) {
        replaced.add(RandomRows.put(documents.get(i).id(), Map.of("third", "9"), unit(random)));
        documents.set(i, replaced.getLast());
      }
      table.publish(table.stage(16, replaced));
    }
    List<String> removed = new ArrayList<>();
    for (int i = count - 1; i >= 0; i -= 5) {
      removed.add(documents.remove(i).id());
    }
    table.publish(table.stageRemoval(removed));
    float[] query = unit(random);
    String description = "seed " + seed;
    assertSame(table, documents, query, 50, NONE, put -> true, description);
    assertSame(
        table,
        documents,
        query,
        50,
        new Restriction(Optional.of(new Filter.Equal("third", "9")), Optional.empty()),
        put -> put.metadata().containsValue("9"),
        description);
    assertThat(searches.getLast().search(before, query, 50, NONE))
        .extracting(ranked -> new Scored(ranked.row().id(), ranked.score()))
        .as("an elder snapshot, seed %d", seed)
        .containsExactlyElementsOf(naive(elder, query, 50, put -> true));
  }

  private static float[] unit(Random random) {
    return RandomRows.unit(random, 16);
  }
}
