package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Filter;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.TextFilter;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A part of the documents lies on the remote store, a part waits, over it or beside it: what is
 * read is what an embedded store reads that holds all of it.
 */
class MergedReadsTest {
  private static final int DIMENSION = 6;
  private static final int IDS = 120;
  private static final String NOTES = "notes";
  private static final double SCORE_TOLERANCE = 1e-5;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final FakeQdrant server = FakeQdrant.open();

  private static Scope tenant(int number) {
    return new Scope(Map.of("tenant_id", "t" + number), Set.of("tenant_id"));
  }

  private static NewDocument document(String id, Random random) {
    float[] vector = new float[DIMENSION];
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return NewDocument.of(id, "text " + random.nextInt(5), vector)
        .withMetadata(
            Map.of("n", "" + random.nextInt(10), "colour", random.nextBoolean() ? "red" : "blue"));
  }

  /** The same to both: ids belong to one tenant each, or to nobody. */
  private static void write(DocumentStore merged, DocumentStore union, Random random, int writes) {
    for (int i = 0; i < writes; i++) {
      int number = random.nextInt(IDS);
      Scope scope = number % 3 == 0 ? Scope.ALL : tenant(number % 3);
      String id = "d" + number;
      if (random.nextInt(4) == 0) {
        int deleted = collection(union, scope).delete(List.of(id));
        assertThat(collection(merged, scope).delete(List.of(id))).isEqualTo(deleted);
      } else if (random.nextInt(30) == 0) {
        Filter where = new Filter.Equal("n", "" + random.nextInt(10));
        int deleted = collection(union, scope).deleteWhere(where);
        assertThat(collection(merged, scope).deleteWhere(where)).isEqualTo(deleted);
      } else {
        List<NewDocument> batch = List.of(document(id, random));
        union.upsert(NOTES, batch, scope);
        merged.upsert(NOTES, batch, scope);
      }
    }
  }

  private static VectorCollection collection(DocumentStore store, Scope scope) {
    return store.collection(NOTES, scope).orElseThrow();
  }

  private static List<Optional<Filter>> filters() {
    return List.of(
        Optional.empty(),
        Optional.of(new Filter.Equal("colour", "red")),
        Optional.of(new Filter.Not(new Filter.In("n", Set.of("1", "2", "3")))));
  }

  private static void assertAlike(
      VectorCollection merged, VectorCollection union, Random random, String where) {
    assertThat(merged.count()).as(where).isEqualTo(union.count());
    assertThat(merged.info().count()).as(where).isEqualTo(union.count());
    for (int limit : new int[] {1, 3, 10, 200}) {
      for (Optional<Filter> filter : filters()) {
        for (Optional<TextFilter> text :
            List.of(
                Optional.<TextFilter>empty(),
                Optional.<TextFilter>of(new TextFilter.NotContains("3")))) {
          float[] target = document("q", random).embedding().orElseThrow();
          Query query = new Query(new Query.Target.Vector(target), limit, filter, text);
          QueryResult found = merged.query(query);
          QueryResult expected = union.query(query);
          String what = where + ", limit " + limit + ", " + filter + text;
          assertThat(ids(found)).as(what).isEqualTo(ids(expected));
          for (int i = 0; i < found.hits().size(); i++) {
            assertThat(found.hits().get(i).score())
                .as(what)
                .isCloseTo(expected.hits().get(i).score(), within(SCORE_TOLERANCE));
          }
          assertThat(found.coverage().searched()).as(what).isEqualTo(union.count());
          assertThat(found.isPendingOnly()).as(what).isFalse();
        }
      }
    }
    for (int limit : new int[] {1, 7, 500}) {
      assertThat(Pages.ids(merged, limit)).as(where).isEqualTo(Pages.ids(union, limit));
    }
    List<String> all = new ArrayList<>();
    for (int i = 0; i < IDS; i++) {
      all.add("d" + i);
    }
    assertThat(merged.get(all).stream().map(one -> one.id() + one.content()).toList())
        .as(where)
        .isEqualTo(union.get(all).stream().map(one -> one.id() + one.content()).toList());
  }

  private static List<String> ids(QueryResult result) {
    return result.hits().stream().map(Hit::document).map(one -> one.id()).toList();
  }

  /** Pages come in an order of their own, and visit each document once. */
  private static final class Pages {
    static Set<String> ids(VectorCollection collection, int limit) {
      Set<String> visited = new TreeSet<>();
      Optional<String> after = Optional.empty();
      do {
        var page = collection.page(after, limit);
        assertThat(page.documents()).hasSizeLessThanOrEqualTo(limit);
        page.documents().forEach(one -> assertThat(visited.add(one.id())).as(one.id()).isTrue());
        after = page.next();
      } while (after.isPresent());
      return visited;
    }
  }

  @Test
  void whatIsReadIsTheUnionOfBoth() throws IOException {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("MergedReadsTest: repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    try (FakeQdrant _ = server;
        VectorStore union = VectorStore.open(root.beside("union"), StoreOptions.defaults());
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      DocumentStore merged = side.documents();
      union.create(NOTES, Map.of("kind", "x"));
      merged.create(NOTES, Map.of("kind", "x"));
      for (int round = 0; round < 3; round++) {
        write(merged, union, random, 80);
        side.sync().resume();
        side.sync().sync(false);
        side.sync().pause();
        write(merged, union, random, 60);
        assertThat(side.sync().status().waitingBytes()).isPositive();
        for (Scope scope : List.of(Scope.ALL, tenant(1), tenant(2), tenant(3))) {
          assertAlike(
              collection(merged, scope),
              collection(union, scope),
              random,
              "seed " + seed + ", round " + round + ", " + scope.stamps());
        }
      }
      side.sync().resume();
      side.sync().sync(false);
      side.assertAllThere(server.port());
    }
  }

  /** One order: equal scores go by id, on whichever side the documents lie. */
  @Test
  void equalScoresGoByIdWhereverTheyLie() throws IOException {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      float[] vector = {0.3f, -0.2f, 0.7f};
      DocumentStore merged = side.documents();
      merged.upsert(
          NOTES,
          List.of(NewDocument.of("b", "", vector), NewDocument.of("d", "", vector)),
          Scope.ALL);
      side.sync().sync(false);
      side.sync().pause();
      merged.upsert(
          NOTES,
          List.of(NewDocument.of("a", "", vector), NewDocument.of("c", "", vector)),
          Scope.ALL);
      assertThat(ids(collection(merged, Scope.ALL).query(Query.nearest(vector, 10))))
          .containsExactly("a", "b", "c", "d");
      assertThat(ids(collection(merged, Scope.ALL).query(Query.nearest(vector, 3))))
          .containsExactly("a", "b", "c");
      collection(merged, Scope.ALL).delete(List.of("b", "c"));
      assertThat(ids(collection(merged, Scope.ALL).query(Query.nearest(vector, 1))))
          .containsExactly("a");
      assertThat(ids(collection(merged, Scope.ALL).query(Query.nearest(vector, 2))))
          .containsExactly("a", "d");
    }
  }

  /** More is hidden than was asked for: the answer is not short all the same. */
  @Test
  void whatIsHiddenLeavesNoAnswerShort() throws IOException {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      DocumentStore merged = side.documents();
      List<NewDocument> near = new ArrayList<>();
      List<String> nearIds = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        near.add(NewDocument.of("near" + i, "", new float[] {1, i / 1e4f}));
        nearIds.add("near" + i);
      }
      merged.upsert(NOTES, near, Scope.ALL);
      merged.upsert(
          NOTES,
          List.of(
              NewDocument.of("far1", "", new float[] {0, 1}),
              NewDocument.of("far2", "", new float[] {-1, 1})),
          Scope.ALL);
      side.sync().sync(false);
      side.sync().pause();
      collection(merged, Scope.ALL).delete(nearIds);
      assertThat(ids(collection(merged, Scope.ALL).query(Query.nearest(new float[] {1, 0}, 2))))
          .containsExactly("far1", "far2");
      assertThat(Pages.ids(collection(merged, Scope.ALL), 1)).containsExactly("far1", "far2");
      assertThat(collection(merged, Scope.ALL).count()).isEqualTo(2);
    }
  }
}
