package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.contextd.testkit.StoreRoot;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The engine over a folder: what is written is there after the store was opened again. */
class VectorStoreTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void servesAFolderOfChromemGo() throws Exception {
    root.copyOf("chromem-go/plain");
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      assertThat(store.openReport().damage()).isEmpty();
      assertThat(store.collections(Scope.ALL))
          .extracting(CollectionInfo::name, CollectionInfo::count)
          .containsExactly(
              tuple("contextd_checkpoints", 40L),
              tuple("contextd_memories", 6L),
              tuple("contextd_remediations", 0L));
    }
  }

  @Test
  void whatWasWrittenIsThereAfterReopening() throws Exception {
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      Written written =
          notes.upsert(
              List.of(
                  NewDocument.of("a", "first", new float[] {3, 4}),
                  NewDocument.of("b", "second", new float[] {-1, 0})));
      assertThat(written.ids()).containsExactly("a", "b");
      assertThat(notes.delete(List.of("b", "nobody"))).isEqualTo(1);
    }
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      VectorCollection notes = store.collection("notes", Scope.ALL).orElseThrow();
      assertThat(notes.count()).isEqualTo(1);
      Document a = notes.get("a").orElseThrow();
      assertThat(a.embedding()).containsExactly(0.6f, 0.8f);
      assertThat(a.content()).isEqualTo("first");
      assertThat(notes.get("b")).isEqualTo(Optional.empty());
      QueryResult result = notes.query(Query.nearest(new float[] {0.6f, 0.8f}, 10));
      assertThat(result.hits()).hasSize(1);
      assertThat(result.hits().getFirst().score()).isBetween(0.9999999, 1.0);
      assertThat(result.coverage().searched()).isEqualTo(1);
    }
  }
}
