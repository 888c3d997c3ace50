package dev.contextd.engine.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Filter;
import dev.contextd.engine.search.ExactSearch.Restriction;
import dev.contextd.storage.parallel.Workers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rows that are replaced again and again, under readers. */
class RowTableTest {
  private static final int ROWS = 2_000;
  private static final int VERSIONS = 60;
  private static final int DIMENSION = 16;

  private final RowTable table = new RowTable();
  private final ExactSearch search = new ExactSearch(DotKernel.best(), Workers.common());

  private static List<RowTable.Put> batch(int version) {
    Map<String, String> metadata = Map.of("version", Integer.toString(version));
    return IntStream.range(0, ROWS)
        .mapToObj(i -> {
          float[] vector = new float[DIMENSION];
          vector[version % DIMENSION] = 1;
          vector[i % DIMENSION] += 0.5f;
          return RandomRows.put("doc-%04d".formatted(i), metadata, vector);
        })
        .toList();
  }

  @Test
  void compactionUnderReadersIsNotNoticed() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    table.load(DIMENSION, List.of(), batch(0));
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<?>> readers =
          List.of(threads.submit(() -> readUntil(done)), threads.submit(() -> readUntil(done)));
      try {
        for (int version = 1; version < VERSIONS; version++) {
          table.publish(table.stage(DIMENSION, batch(version)));
        }
      } finally {
        done.set(true);
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
    Snapshot last = table.snapshot();
    assertThat(last.count()).isEqualTo(ROWS);
    int rows = IntStream.range(0, last.chunks().size()).map(last::fill).sum();
    assertThat(rows).as("rows kept in memory, dead ones included").isLessThan(3 * ROWS);
  }

  private void readUntil(AtomicBoolean done) {
    do {
      Snapshot snapshot = table.snapshot();
      String version = snapshot.after(null).next().metadata().getOrDefault("version", "");
      Filter same = new Filter.Equal("version", version);
      assertThat(snapshot.count()).isEqualTo(ROWS);
      assertThat(snapshot.count(same)).isEqualTo(ROWS);
      float[] query = new float[DIMENSION];
      query[Integer.parseInt(version) % DIMENSION] = 1;
      List<ExactSearch.Ranked> all =
          search.search(snapshot, query, ROWS, new Restriction(Optional.empty(), Optional.empty()));
      List<ExactSearch.Ranked> filtered =
          search.search(
              snapshot, query, ROWS, new Restriction(Optional.of(same), Optional.empty()));
      assertThat(all).hasSize(ROWS).isEqualTo(filtered);
      assertThat(all.getLast().score()).isGreaterThan(0.8);
    } while (!done.get());
  }

  @Test
  void aRowThatWasNotPublishedIsOverwrittenByTheNext() {
    table.publish(table.stage(2, List.of(RandomRows.put("a", Map.of(), 1, 0))));
    table.discard(table.stage(2, List.of(RandomRows.put("lost", Map.of("k", "1"), 0, 1))));
    assertThat(table.snapshot().count()).isEqualTo(1);
    table.publish(table.stage(2, List.of(RandomRows.put("b", Map.of("l", "1"), -1, 0))));
    Snapshot snapshot = table.snapshot();
    assertThat(snapshot.get("lost")).isNull();
    assertThat(snapshot.count(new Filter.Exists("k", true))).isZero();
    assertThat(snapshot.get("b"))
        .isNotNull()
        .extracting(Row::embedding)
        .isEqualTo(new float[] {-1, 0});
  }

  @Test
  void anEmptiedTableKeepsItsElderSnapshotsWhole() {
    table.load(DIMENSION, List.of(), batch(0));
    Snapshot before = table.snapshot();
    table.publish(
        table.stageRemoval(
            IntStream.range(0, ROWS).mapToObj(i -> "doc-%04d".formatted(i)).toList()));
    assertThat(table.snapshot().count()).isZero();
    assertThat(table.snapshot().dimension()).isZero();
    assertThat(before.count(new Filter.Equal("version", "0"))).isEqualTo(ROWS);
    table.publish(table.stage(3, List.of(RandomRows.put("a", Map.of(), 1, 0, 0))));
    assertThat(table.snapshot().dimension()).isEqualTo(3);
    assertThat(before.matching(new Filter.And(List.of()))).hasSize(ROWS);
  }
}
