package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a large store answers after it was opened, whoever comes first: its documents are decoded,
 * and its map by id is made, when somebody asks.
 */
class LargeOpeningTest {
  private static final int DOCUMENTS = 3_000;
  private static final int DIMENSION = 8;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final Random random = seeded();
  private final Map<String, NewDocument> model = new TreeMap<>();

  private static Random seeded() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("LargeOpeningTest: repeat with -Dseed=" + seed);
    return new Random(seed);
  }

  /** Some vectors of another length than 1, some metadata with more fields than have columns. */
  private NewDocument document(int number, String content) {
    float[] vector = new float[DIMENSION];
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = random.nextFloat() - 0.5f;
    }
    Map<String, String> metadata = new HashMap<>();
    metadata.put("tenth", Integer.toString(number % 10));
    metadata.put("own " + number % 90, "x");
    return new NewDocument(
        Optional.of("doc %05d".formatted(number)),
        content,
        Optional.of(vector),
        number % 7 == 0 ? Map.of() : metadata);
  }

  private NewDocument modelled(String id) {
    return Objects.requireNonNull(model.get(id), id);
  }

  private void put(VectorCollection notes, List<NewDocument> documents) {
    notes.upsert(documents);
    documents.forEach(one -> model.put(one.id().orElseThrow(), one));
  }

  @BeforeEach
  void write() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      for (int from = 0; from < DOCUMENTS; from += 1_000) {
        List<NewDocument> batch = new ArrayList<>();
        for (int i = from; i < from + 1_000; i++) {
          batch.add(document(i, "first " + i));
        }
        put(notes, batch);
      }
    }
    try (VectorStore store = Given.open(root.path())) {
      List<NewDocument> again = new ArrayList<>();
      for (int i = 0; i < DOCUMENTS; i += 7) {
        again.add(document(i, "again " + i));
      }
      put(collection(store, "notes"), again);
    }
  }

  /** Who comes first. */
  enum First {
    A_QUERY,
    A_FILTER,
    A_PAGE,
    AN_ID,
    A_WRITE,
    A_DELETION
  }

  private void come(First first, VectorCollection notes) {
    switch (first) {
      case A_QUERY -> query(notes);
      case A_FILTER -> filter(notes);
      case A_PAGE -> pages(notes);
      case AN_ID -> ids(notes);
      case A_WRITE -> put(notes, List.of(document(3, "a third time"), document(DOCUMENTS, "new")));
      case A_DELETION -> {
        List<String> gone = List.of("doc 00004", "doc 00005", "doc 02321");
        assertThat(notes.delete(gone)).isEqualTo(3);
        gone.forEach(model::remove);
      }
    }
  }

  private void query(VectorCollection notes) {
    NewDocument sought =
        model.values().stream().skip(random.nextInt(model.size())).findFirst().get();
    QueryResult.Hit hit =
        notes.query(Query.nearest(sought.embedding().orElseThrow(), 1)).hits().getFirst();
    assertThat(hit.document().id()).isEqualTo(sought.id().orElseThrow());
    assertThat(hit.document().content()).isEqualTo(sought.content());
    assertThat(hit.document().metadata()).isEqualTo(sought.metadata());
    assertThat(hit.score()).isGreaterThan(0.999);
  }

  private void filter(VectorCollection notes) {
    for (Filter filter :
        List.<Filter>of(new Filter.Equal("tenth", "3"), new Filter.Exists("own 77", true))) {
      long expected =
          model.values().stream()
              .filter(one ->
                  filter instanceof Filter.Equal
                      ? "3".equals(one.metadata().get("tenth"))
                      : one.metadata().containsKey("own 77"))
              .count();
      Query query = Query.nearest(new float[] {1, 0, 0, 0, 0, 0, 0, 0}, Limits.MAX_QUERY_RESULTS);
      assertThat(notes.query(query.where(filter)).hits()).hasSize((int) expected);
    }
  }

  private void pages(VectorCollection notes) {
    List<String> ids = new ArrayList<>();
    Optional<String> after = Optional.empty();
    do {
      Page page = notes.page(after, 777);
      page.documents()
          .forEach(found -> {
            ids.add(found.id());
            assertThat(found.content()).isEqualTo(modelled(found.id()).content());
          });
      after = page.next();
    } while (after.isPresent());
    assertThat(ids).isEqualTo(List.copyOf(model.keySet()));
  }

  private void ids(VectorCollection notes) {
    model.forEach((id, one) -> {
      Document found = notes.get(id).orElseThrow();
      assertThat(found.content()).isEqualTo(one.content());
      assertThat(found.metadata()).isEqualTo(one.metadata());
    });
  }

  @ParameterizedTest
  @EnumSource
  void whoeverComesFirstFindsEverything(First first) throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.count()).isEqualTo(model.size());
      come(first, notes);
      List<First> others = new ArrayList<>(List.of(First.values()));
      others.remove(first);
      Collections.shuffle(others, random);
      others.forEach(next -> come(next, notes));
      assertThat(notes.count()).isEqualTo(model.size());
    }
    try (VectorStore store = Given.open(root.path())) {
      ids(collection(store, "notes"));
    }
  }

  @Test
  void manyWhoComeAtOnceFindTheSame() throws Exception {
    try (VectorStore store = Given.open(root.path());
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      VectorCollection notes = collection(store, "notes");
      List<Callable<Void>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        List<Runnable> tasks =
            List.of(() -> filter(notes), () -> pages(notes), () -> ids(notes), () -> query(notes));
        Runnable mine = tasks.get(i % tasks.size());
        all.add(() -> {
          mine.run();
          return null;
        });
      }
      for (Future<Void> done : threads.invokeAll(all)) {
        done.get();
      }
    }
  }
}
