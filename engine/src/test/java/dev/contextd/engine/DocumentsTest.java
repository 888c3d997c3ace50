package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.contextd.engine.search.Vectors;
import dev.contextd.testkit.StoreRoot;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Documents: added, replaced, fetched, counted, deleted. */
class DocumentsTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void aReplacedDocumentIsReplacedWhole() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0).withMetadata(Map.of("old", "1", "both", "1"))));
      notes.upsert(
          List.of(
              NewDocument.of("a", "second", new float[] {0, 1})
                  .withMetadata(Map.of("both", "2", "new", "2"))));
      assertReplaced(notes);
    }
    try (VectorStore store = Given.open(root.path())) {
      assertReplaced(collection(store, "notes"));
    }
  }

  private static void assertReplaced(VectorCollection notes) {
    assertThat(notes.count()).isEqualTo(1);
    Document found = notes.get("a").orElseThrow();
    assertThat(found.content()).isEqualTo("second");
    assertThat(found.embedding()).containsExactly(0, 1);
    assertThat(found.metadata()).containsOnly(Map.entry("both", "2"), Map.entry("new", "2"));
    Query gone = Query.nearest(new float[] {1, 0}, 5).where(new Filter.Equal("old", "1"));
    assertThat(notes.query(gone).hits()).isEmpty();
  }

  @Test
  void getReturnsWhatExistsInTheOrderAskedEachOnce() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 1, 0), doc("c", 1, 0)));
      assertThat(ids(notes.get(List.of("c", "nobody", "a", "c")))).containsExactly("c", "a");
      assertThat(notes.get(List.of())).isEmpty();
      assertThat(notes.get("nobody")).isEmpty();
    }
  }

  @Test
  void whatIsReturnedIsACopy() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      float[] given = {1, 0};
      notes.upsert(List.of(NewDocument.of("a", "", given)));
      given[0] = 7;
      notes.get("a").orElseThrow().embedding()[0] = 9;
      assertThat(notes.get("a").orElseThrow().embedding()).containsExactly(1, 0);
    }
  }

  @Test
  void idsThatAreLeftOutAreUuids() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      NewDocument nameless =
          new NewDocument(Optional.empty(), "x", Optional.of(new float[] {1, 0}), Map.of());
      Written written = notes.upsert(List.of(nameless, doc("named", 0, 1), nameless));
      assertThat(written.ids()).hasSize(3).doesNotHaveDuplicates();
      assertThat(written.ids().get(1)).isEqualTo("named");
      assertThat(UUID.fromString(written.ids().getFirst()).version()).isEqualTo(4);
      assertThat(ids(notes.get(written.ids()))).isEqualTo(written.ids());
    }
  }

  @Test
  void deleteWhereDeletesWhatMatchesAndSurvivesARestart() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(
          List.of(
              doc("a", Map.of("n", "1")),
              doc("b", Map.of("n", "2")),
              doc("c", Map.of("n", "3")),
              doc("d", Map.of())));
      Filter above =
          new Filter.Compare("n", Filter.Compare.Order.GREATER_OR_EQUAL, Decimal.parse("2"));
      assertThat(notes.deleteWhere(above)).isEqualTo(2);
      assertThat(notes.deleteWhere(above)).isZero();
    }
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(ids(notes.page(Optional.empty(), 10).documents())).containsExactly("a", "d");
      assertThat(notes.deleteWhere(new Filter.And(List.of()))).isEqualTo(2);
      assertThat(notes.count()).isZero();
    }
  }

  @Test
  void vectorsAreStoredAtUnitLength() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      for (float scale : new float[] {1e-30f, 1e-3f, 1, 3, 1e30f}) {
        float[] vector = new float[17];
        for (int i = 0; i < vector.length; i++) {
          vector[i] = scale * (float) random.nextGaussian();
        }
        notes.upsert(List.of(NewDocument.of("a", "", vector)));
        float[] stored = notes.get("a").orElseThrow().embedding();
        assertThat(Vectors.norm(stored)).as("seed %d", seed).isCloseTo(1, within(1e-6));
        assertThat(Vectors.cosine(vector, Vectors.norm(vector), stored))
            .as("seed %d", seed)
            .isCloseTo(1, within(1e-6));
      }
      notes.upsert(List.of(doc("extreme", extreme())));
      assertThat(notes.get("extreme").orElseThrow().embedding()[0]).isEqualTo(1);
    }
  }

  /** A vector whose length overflows a float, and whose square overflows it by far. */
  private static float[] extreme() {
    float[] vector = new float[17];
    vector[0] = Float.MAX_VALUE;
    vector[1] = Float.MIN_VALUE;
    return vector;
  }

  @Test
  void aVectorThatIsUnitLengthIsStoredBitForBit() throws Exception {
    float[] unit = {0.6f, 0.8f, Float.MIN_VALUE};
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(NewDocument.of("a", "", unit)));
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").get("a").orElseThrow().embedding())
          .containsExactly(unit);
    }
  }

  @Test
  void anyTextComesBackAsItWas() throws Exception {
    String text = "Grüße, 世界, \ud83d\udea8, a NUL \0, a newline\n, and \"quotes\"";
    Map<String, String> metadata = Map.of("", "empty key", "empty value", "", text, text);
    try (VectorStore store = Given.open(root.path())) {
      store
          .getOrCreate("Grüße/世界 ..", Scope.ALL)
          .upsert(
              List.of(
                  NewDocument.of("../" + text, text, new float[] {1}).withMetadata(metadata),
                  NewDocument.of(" ", "", new float[] {1})));
    }
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection found = collection(store, "Grüße/世界 ..");
      Document document = found.get("../" + text).orElseThrow();
      assertThat(document.content()).isEqualTo(text);
      assertThat(document.metadata()).isEqualTo(metadata);
      assertThat(found.get(" ").orElseThrow().content()).isEmpty();
    }
  }

  @Test
  void aCollectionIsCreatedOnceWithItsMetadata() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      assertThat(store.create("notes", Map.of("owner", "me"))).isTrue();
      assertThat(store.create("notes", Map.of("owner", "me"))).isFalse();
      assertThatThrownBy(() -> store.create("notes", Map.of()))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.COLLECTION_EXISTS));
      assertThat(store.getOrCreate("notes", Scope.ALL).info().metadata())
          .containsOnly(Map.entry("owner", "me"));
      assertThat(store.collection("nobody", Scope.ALL)).isEmpty();
      assertThatThrownBy(() -> store.delete("nobody", Scope.ALL))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.COLLECTION_NOT_FOUND));
    }
  }

  @Test
  void textFiltersReadTheContent() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(
          List.of(
              NewDocument.of("a", "red fox", new float[] {1, 0}),
              NewDocument.of("b", "red hen", new float[] {1, 1}),
              NewDocument.of("c", "blue fox", new float[] {0, 1}),
              NewDocument.of("d", "", new float[] {-1, 0})));
      TextFilter red = new TextFilter.Contains("red");
      TextFilter noFox = new TextFilter.NotContains("fox");
      assertThat(found(notes, red)).containsExactly("a", "b");
      assertThat(found(notes, noFox)).containsExactly("b", "d");
      assertThat(found(notes, new TextFilter.And(List.of(red, noFox)))).containsExactly("b");
      assertThat(found(notes, new TextFilter.Or(List.of(red, noFox))))
          .containsExactly("a", "b", "d");
      assertThat(found(notes, new TextFilter.Or(List.of()))).isEmpty();
      assertThat(found(notes, new TextFilter.Contains("Red"))).isEmpty();
    }
  }

  private static List<String> found(VectorCollection notes, TextFilter filter) {
    return Given.hits(notes.query(Query.nearest(new float[] {1, 0}, 10).whereDocument(filter)));
  }
}
