package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.FaultyRun.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every operation of the disk fails once, in turn, while a store is used.
 *
 * <p>Repeat a failure with {@code -Dfaults.nth}; look at all of them with {@code -Dfaults.seconds},
 * which bounds each kind.
 */
class DiskFaultsTest {
  private static final Duration BOUND = Duration.ofSeconds(Long.getLong("faults.seconds", 10));
  private static final int MOST_TOLD = 5;

  private final long seed = Long.getLong("seed", System.nanoTime());

  @ParameterizedTest
  @EnumSource
  void whicheverOperationFailsNothingAcknowledgedIsLostAndNothingFailedStays(Kind kind)
      throws IOException {
    try (ForkJoinPool pool = new ForkJoinPool(1)) {
      List<SortedMap<String, String>> states = new ArrayList<>();
      int all = FaultyRun.count(pool, kind, states);
      List<String> failures = new ArrayList<>();
      long end = System.nanoTime() + BOUND.toNanos();
      int tried = 0;
      for (int nth : inRandomOrder(all)) {
        if (tried > 0 && System.nanoTime() > end) {
          break;
        }
        tried++;
        try {
          FaultyRun.run(pool, kind, nth, states);
        } catch (AssertionError e) {
          failures.add(String.valueOf(e.getMessage()));
        }
      }
      System.out.printf(
          "DiskFaultsTest: %s at %d of %d operations, %d times too much; repeat with -Dseed=%d%n",
          kind, tried, all, failures.size(), seed);
      assertThat(failures.stream().limit(MOST_TOLD)).isEmpty();
    }
  }

  private List<Integer> inRandomOrder(int all) {
    Integer only = Integer.getInteger("faults.nth");
    if (only != null) {
      return List.of(only);
    }
    List<Integer> order = new ArrayList<>(IntStream.rangeClosed(1, all).boxed().toList());
    Collections.shuffle(order, new Random(seed));
    return order;
  }
}
