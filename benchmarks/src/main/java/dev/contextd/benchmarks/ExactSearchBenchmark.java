package dev.contextd.benchmarks;

import dev.contextd.engine.Filter;
import dev.contextd.engine.search.DotKernel;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.engine.search.ExactSearch.Restriction;
import dev.contextd.engine.search.RowTable;
import dev.contextd.storage.parallel.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Exact top-10 of random unit vectors of 384 dimensions: the whole search, from the query's vector
 * to ranked rows, on all cores, one query at a time, each with a vector of its own.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgs = {
      "--add-modules",
      "jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "-Xmx4g"
    })
public class ExactSearchBenchmark {
  private static final int DIMENSION = 384;
  private static final int LIMIT = 10;
  private static final int QUERIES = 64;
  private static final int SEED = 42;

  /** How many documents are searched. */
  @Param({"1000", "10000", "100000"})
  public int rows;

  /** Whether a metadata filter keeps one document in ten. */
  @Param({"false", "true"})
  public boolean filtered;

  private final RowTable table = new RowTable();
  private final ForkJoinPool pool = new ForkJoinPool(Runtime.getRuntime().availableProcessors());
  private final ExactSearch search = new ExactSearch(DotKernel.best(), new Workers(pool));
  private final float[][] queries = new float[QUERIES][];
  private Restriction restriction = new Restriction(Optional.empty(), Optional.empty());
  private int next;

  @Setup(Level.Trial)
  public void fill() {
    Random random = new Random(SEED);
    List<RowTable.Put> puts = new ArrayList<>(rows);
    for (int i = 0; i < rows; i++) {
      Map<String, String> metadata = Map.of("tenth", Integer.toString(i % 10));
      puts.add(new RowTable.Put("doc-" + i, "content " + i, metadata, unit(random)));
    }
    table.load(DIMENSION, List.of(), puts);
    for (int i = 0; i < QUERIES; i++) {
      queries[i] = unit(random);
    }
    if (filtered) {
      restriction = new Restriction(Optional.of(new Filter.Equal("tenth", "3")), Optional.empty());
    }
  }

  @TearDown(Level.Trial)
  public void stop() {
    pool.shutdown();
  }

  @Benchmark
  public List<ExactSearch.Ranked> top10() {
    float[] query = queries[next++ % QUERIES];
    return search.search(table.snapshot(), query, LIMIT, restriction);
  }

  static float[] unit(Random random) {
    float[] vector = new float[DIMENSION];
    double sum = 0;
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = (float) random.nextGaussian();
      sum += (double) vector[i] * vector[i];
    }
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = (float) (vector[i] / Math.sqrt(sum));
    }
    return vector;
  }
}
