package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One collection under many threads: every history has an order, every read sees whole batches. */
public class ConcurrencyTest {
  private static final int BATCHES = 3;
  private static final int BATCH = 50;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /**
   * What threads see of a collection is what one thread would have seen in some order. Lincheck
   * draws the same scenarios in each run, and prints the one that fails.
   */
  @Test
  void everyHistoryHasAnOrder() throws Exception {
    int iterations = Plan.number("crash.lincheck.iterations", 12);
    CollectionHistory.open(root.path());
    try {
      new StressOptions()
          .iterations(iterations)
          .invocationsPerIteration(40)
          .threads(3)
          .actorsPerThread(3)
          .actorsBefore(2)
          .actorsAfter(2)
          .sequentialSpecification(CollectionHistory.Model.class)
          .check(CollectionHistory.class);
    } finally {
      CollectionHistory.close();
    }
    System.out.printf(
        "everyHistoryHasAnOrder: %d scenarios, %d histories%n",
        iterations, CollectionHistory.histories());
  }

  @Test
  void readersSeeEveryBatchWholeOrNotAtAll() throws Exception {
    long seed = Plan.seed("readersSeeEveryBatchWholeOrNotAtAll");
    int versions = Plan.number("crash.versions", 40);
    AtomicInteger writing = new AtomicInteger(BATCHES);
    AtomicInteger reads = new AtomicInteger();
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults());
        ExecutorService threads = Executors.newCachedThreadPool()) {
      VectorCollection notes = store.store().getOrCreate("notes", Scope.ALL);
      List<Future<?>> all = new ArrayList<>();
      for (int batch = 0; batch < BATCHES; batch++) {
        int mine = batch;
        notes.upsert(documents(mine, 0));
        all.add(threads.submit(() -> write(notes, mine, versions, writing)));
      }
      for (Reader reader : readers(new Random(seed))) {
        all.add(
            threads.submit(() -> {
              do {
                requireWhole(reader.read(notes));
                reads.incrementAndGet();
              } while (writing.get() > 0);
            }));
      }
      for (Future<?> thread : all) {
        thread.get();
      }
    }
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
      assertThat(page(store.store().collection("notes", Scope.ALL).orElseThrow()))
          .hasSize(BATCHES * BATCH)
          .allSatisfy(found -> assertThat(version(found)).isEqualTo("" + (versions - 1)));
    }
    System.out.printf("%d batches of %d versions, %d reads%n", BATCHES, versions, reads.get());
  }

  /** Reads all documents, one way or another. */
  @FunctionalInterface
  private interface Reader {
    List<Document> read(VectorCollection collection);
  }

  private static List<Reader> readers(Random random) {
    List<String> ids =
        new ArrayList<>(
            IntStream.range(0, BATCHES * BATCH).mapToObj(i -> id(i / BATCH, i % BATCH)).toList());
    Collections.shuffle(ids, random);
    Query query = Query.nearest(new float[] {1, 2}, BATCHES * BATCH + 10);
    return List.of(
        notes -> notes.query(query).hits().stream().map(QueryResult.Hit::document).toList(),
        notes -> notes.get(ids),
        ConcurrencyTest::page);
  }

  private static List<Document> page(VectorCollection collection) {
    return collection.page(Optional.empty(), 1_000).documents();
  }

  private static void write(
      VectorCollection notes, int batch, int versions, AtomicInteger writing) {
    try {
      for (int version = 1; version < versions; version++) {
        notes.upsert(documents(batch, version));
      }
    } finally {
      writing.decrementAndGet();
    }
  }

  private static List<NewDocument> documents(int batch, int version) {
    return IntStream.range(0, BATCH)
        .mapToObj(i ->
            NewDocument.of(id(batch, i), "version " + version, new float[] {version + 1, i + 1})
                .withMetadata(Map.of("version", "" + version)))
        .toList();
  }

  private static String id(int batch, int i) {
    return "b" + batch + "-" + i;
  }

  private static String version(Document document) {
    return document.metadata().getOrDefault("version", "none");
  }

  private static void requireWhole(List<Document> read) {
    assertThat(read).hasSize(BATCHES * BATCH);
    for (int batch = 0; batch < BATCHES; batch++) {
      String prefix = "b" + batch + "-";
      List<Document> mine = read.stream().filter(found -> found.id().startsWith(prefix)).toList();
      assertThat(mine.stream().map(ConcurrencyTest::version).distinct()).hasSize(1);
      assertThat(mine)
          .allSatisfy(found -> assertThat(found.content()).isEqualTo("version " + version(found)));
    }
  }
}
