package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.doc;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Readers beside writers: each read sees every batch whole or not at all. */
class ThreadsTest {
  private static final int BATCH = 40;
  private static final int VERSIONS = 20;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /** Does its work until it is told to stop, at least once. */
  private static Callable<Integer> until(AtomicBoolean done, Runnable work) {
    return () -> {
      int rounds = 0;
      do {
        work.run();
        rounds++;
      } while (!done.get());
      return rounds;
    };
  }

  private static void run(AtomicBoolean done, List<Callable<?>> writers, List<Runnable> readers)
      throws Exception {
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> reading = new ArrayList<>();
      for (Runnable reader : readers) {
        reading.add(threads.submit(until(done, reader)));
      }
      try {
        List<Future<?>> writing = new ArrayList<>();
        for (Callable<?> writer : writers) {
          writing.add(threads.submit(writer));
        }
        for (Future<?> writer : writing) {
          writer.get();
        }
      } finally {
        done.set(true);
      }
      for (Future<?> reader : reading) {
        reader.get();
      }
    }
  }

  private static List<NewDocument> batch(String writer, int version) {
    Map<String, String> metadata =
        Map.of("writer", writer, "version", Integer.toString(version), "even", "" + version % 2);
    return IntStream.range(0, BATCH)
        .mapToObj(i -> doc(writer + "-" + i, version + 1, i + 1).withMetadata(metadata))
        .toList();
  }

  private static void assertWhole(List<Document> documents, String writer) {
    assertThat(documents).hasSize(BATCH);
    assertThat(documents)
        .allSatisfy(found -> assertThat(found.metadata()).containsEntry("writer", writer))
        .extracting(found -> found.metadata().get("version"))
        .containsOnly(documents.getFirst().metadata().get("version"));
  }

  @Test
  void everyReadSeesWholeBatches() throws Exception {
    List<String> writers = List.of("x", "y");
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      writers.forEach(writer -> notes.upsert(batch(writer, 0)));
      List<Callable<?>> writing = new ArrayList<>();
      List<Runnable> reading = new ArrayList<>();
      for (String writer : writers) {
        writing.add(() -> writeAll(notes, writer));
        Query query =
            Query.nearest(new float[] {1, 1}, 10_000).where(new Filter.Equal("writer", writer));
        reading.add(() ->
            assertWhole(
                notes.query(query).hits().stream().map(QueryResult.Hit::document).toList(),
                writer));
      }
      reading.add(() -> {
        List<Document> page = notes.page(Optional.empty(), 1_000).documents();
        for (String writer : writers) {
          assertWhole(
              page.stream().filter(found -> found.id().startsWith(writer)).toList(), writer);
        }
      });
      reading.add(() -> {
        Scope even = new Scope(Map.of("even", "0"), Set.of());
        assertThat(collection(store, "notes").count()).isEqualTo(2 * BATCH);
        assertThat(store.collection("notes", even).orElseThrow().count() % BATCH).isZero();
      });
      run(new AtomicBoolean(), writing, reading);
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").page(Optional.empty(), 1_000).documents())
          .allSatisfy(
              found -> assertThat(found.metadata()).containsEntry("version", "" + (VERSIONS - 1)));
    }
  }

  private static int writeAll(VectorCollection notes, String writer) {
    for (int version = 1; version < VERSIONS; version++) {
      notes.upsert(batch(writer, version));
    }
    return VERSIONS;
  }

  @Test
  void countsAreNeverHalfOfABatch() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      Query query = Query.nearest(new float[] {1, 1}, 10_000);
      run(
          new AtomicBoolean(),
          List.of(() -> addAndDelete(notes, "x"), () -> addAndDelete(notes, "y")),
          List.of(
              () -> assertThat(notes.count() % BATCH).isZero(),
              () -> assertThat(notes.info().count() % BATCH).isZero(),
              () -> {
                QueryResult result = notes.query(query);
                assertThat(result.hits().size()).isEqualTo((int) result.coverage().searched());
                assertThat(result.hits().size() % BATCH).isZero();
              }));
      assertThat(notes.count()).isZero();
    }
  }

  private static int addAndDelete(VectorCollection notes, String writer) {
    for (int version = 0; version < VERSIONS / 2; version++) {
      List<String> ids = notes.upsert(batch(writer, version)).ids();
      int deleted =
          version % 2 == 0
              ? notes.delete(ids)
              : notes.deleteWhere(new Filter.Equal("writer", writer));
      assertThat(deleted).isEqualTo(BATCH);
    }
    return VERSIONS;
  }

  @Test
  void collectionsComeAndGoBesideReaders() throws Exception {
    AtomicInteger created = new AtomicInteger();
    try (VectorStore store = Given.open(root.path())) {
      store.create("always", Map.of());
      Callable<Integer> writer =
          () -> {
            for (int i = 0; i < 30; i++) {
              if (store.create("sometimes", Map.of())) {
                created.incrementAndGet();
              }
              store.delete("sometimes", Scope.ALL);
            }
            return created.get();
          };
      run(
          new AtomicBoolean(),
          List.of(writer),
          List.of(
              () ->
                  assertThat(store.collections(Scope.ALL))
                      .extracting(CollectionInfo::name)
                      .contains("always")
                      .hasSizeLessThanOrEqualTo(2),
              () -> assertThat(store.damage()).isEmpty()));
      assertThat(created).hasValue(30);
    }
  }
}
