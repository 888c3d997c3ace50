package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.contents;
import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.hits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.CollectionInfo.Model;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Text to vector: which model made a collection, and what happens with another. */
class ModelTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final ToyEmbedder toy = new ToyEmbedder("toy");

  private VectorStore open(Embedder embedder) throws IOException {
    return VectorStore.open(root.path(), StoreOptions.defaults().withEmbedder(embedder));
  }

  @Test
  void theModelThatEmbeddedIsRecorded() throws Exception {
    try (VectorStore store = open(toy)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      assertThat(notes.info().model()).isEmpty();
      notes.upsert(List.of(NewDocument.ofText("a", "dark mode"), NewDocument.ofText("b", "tabs")));
      assertThat(notes.info().model()).hasValue(new Model("toy", false));
      assertThat(hits(notes.query(Query.nearest("tabs", 1)))).containsExactly("b");
    }
    try (VectorStore store = open(new ToyEmbedder("another"))) {
      assertThat(collection(store, "notes").info().model()).hasValue(new Model("toy", false));
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").info().model()).hasValue(new Model("toy", false));
    }
  }

  @Test
  void anotherModelIsRefusedWithBothNames() throws Exception {
    try (VectorStore store = open(toy)) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(NewDocument.ofText("a", "dark mode")));
    }
    try (VectorStore store = open(new ToyEmbedder("another"))) {
      VectorCollection notes = collection(store, "notes");
      List<Runnable> calls =
          List.of(
              () -> notes.upsert(List.of(NewDocument.ofText("b", "light mode"))),
              () -> notes.query(Query.nearest("mode", 1)));
      for (Runnable call : calls) {
        refused(ErrorCode.MODEL_MISMATCH, call, "\"toy\"", "\"another\"");
      }
      float[] vector = ToyEmbedder.vector("mode");
      notes.upsert(List.of(NewDocument.of("b", "with a vector", vector)));
      assertThat(notes.query(Query.nearest(vector, 5)).hits()).hasSize(2);
      assertThat(notes.info().model()).hasValue(new Model("toy", false));
    }
  }

  @Test
  void theConfiguredModelIsAssumedWhereItsDimensionAgrees() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      store
          .getOrCreate("eight", Scope.ALL)
          .upsert(List.of(NewDocument.of("a", "dark mode", ToyEmbedder.vector("dark mode"))));
      store.getOrCreate("two", Scope.ALL).upsert(List.of(doc("a", 1, 0)));
      assertThat(collection(store, "eight").info().model()).isEmpty();
    }
    try (VectorStore store = open(toy)) {
      VectorCollection eight = collection(store, "eight");
      VectorCollection two = collection(store, "two");
      assertThat(eight.info().model()).hasValue(new Model("toy", true));
      assertThat(hits(eight.query(Query.nearest("dark mode", 1)))).containsExactly("a");
      assertThat(two.info().model()).isEmpty();
      refused(
          ErrorCode.DIMENSION_MISMATCH,
          () -> two.query(Query.nearest("dark mode", 1)),
          "dimension 8, the collection has 2");
      refused(
          ErrorCode.DIMENSION_MISMATCH,
          () -> two.upsert(List.of(NewDocument.ofText("b", "dark mode"))),
          "dimension 8, the collection has 2");
      assertThat(two.info().model()).isEmpty();
    }
  }

  @Test
  void anEmptiedCollectionMayBeginAgainWithAnotherModel() throws Exception {
    try (VectorStore store = open(toy)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(NewDocument.ofText("a", "dark mode")));
      notes.delete(List.of("a"));
      assertThat(notes.info().model()).isEmpty();
    }
    try (VectorStore store = open(new ToyEmbedder("another"))) {
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.query(Query.nearest("dark", 1)).hits()).isEmpty();
      notes.upsert(List.of(NewDocument.ofText("a", "dark mode")));
      assertThat(notes.info().model()).hasValue(new Model("another", false));
    }
  }

  @Test
  void aNamesakeOfADeletedCollectionHasNoModelOfItsElder() throws Exception {
    try (VectorStore store = open(toy)) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(NewDocument.ofText("a", "text")));
      store.delete("notes", Scope.ALL);
      store
          .getOrCreate("notes", Scope.ALL)
          .upsert(List.of(NewDocument.of("a", "text", ToyEmbedder.vector("text"))));
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").info().model()).isEmpty();
    }
  }

  @Test
  void textPastTheModelsLimitIsNamedAndStoredWhole() throws Exception {
    String longer = "x".repeat(ToyEmbedder.MAX_BYTES + 1);
    try (VectorStore store = open(toy)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      Written written =
          notes.upsert(
              List.of(
                  NewDocument.ofText("short", "x"),
                  NewDocument.of("given", longer, ToyEmbedder.vector("y")),
                  NewDocument.ofText("long", longer)));
      assertThat(written.truncated()).containsExactly("long");
      assertThat(notes.get("long").orElseThrow().content()).isEqualTo(longer);
      assertThat(notes.query(Query.nearest(longer, 1)).truncated()).isTrue();
      assertThat(notes.query(Query.nearest("x", 1)).truncated()).isFalse();
    }
  }

  @Test
  void aFailureToEmbedChangesNothing() throws Exception {
    try (VectorStore store = open(toy)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(NewDocument.ofText("a", "dark mode")));
      Map<String, Map<String, String>> before = contents(store);
      refused(
          ErrorCode.EMBEDDING_FAILED,
          () ->
              notes.upsert(
                  List.of(
                      NewDocument.ofText("a", "replaced"),
                      NewDocument.ofText("b", ToyEmbedder.POISON))),
          "choked");
      refused(
          ErrorCode.EMBEDDING_FAILED,
          () -> notes.query(Query.nearest(ToyEmbedder.POISON, 1)),
          "choked");
      refused(
          ErrorCode.EMBEDDING_FAILED,
          () -> store.upsert("fresh", List.of(NewDocument.ofText("a", "poison")), Scope.ALL),
          "choked");
      assertThat(contents(store)).isEqualTo(before);
    }
  }

  @Test
  void whatIsWrongIsRefusedBeforeTheModelIsAsked() throws Exception {
    try (VectorStore store = open(toy)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0, 0, 0, 0, 0, 0, 0)));
      refused(
          ErrorCode.INVALID_VECTOR,
          () -> notes.upsert(List.of(NewDocument.ofText("b", "text"), doc("c", 0))),
          "documents[1]");
      refused(ErrorCode.INVALID_ARGUMENT, () -> notes.query(Query.nearest(" \t", 1)), "is blank");
      assertThat(toy.calls).hasValue(0);
    }
  }

  @Test
  void textWithoutAModelIsRefused() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      refused(
          ErrorCode.NO_EMBEDDER,
          () -> notes.upsert(List.of(NewDocument.ofText("a", "text"))),
          "embeddings.provider");
      refused(
          ErrorCode.NO_EMBEDDER, () -> notes.query(Query.nearest("text", 1)), "send \"embedding\"");
    }
  }

  private static void refused(ErrorCode code, Runnable call, String... parts) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(parts);
  }
}
