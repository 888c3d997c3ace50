package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What was deleted, counted and brought back. */
class TrashTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  /** The record of the model lies in the entry too, and was counted as a document. */
  @Test
  void aDeletedCollectionsDocumentsAreCountedAndNothingElse() throws Exception {
    StoreOptions options = StoreOptions.defaults().withEmbedder(new ToyEmbedder("toy"));
    try (VectorStore store = VectorStore.open(root.path(), options)) {
      store.upsert(
          "notes",
          List.of(NewDocument.ofText("a", "one"), NewDocument.ofText("b", "two")),
          Scope.ALL);
      store.checkpoint();
      store.delete("notes", Scope.ALL);
      VectorStore.TrashEntry entry = store.trash().getFirst();
      assertThat(entry.kind()).isEqualTo("collection");
      assertThat(entry.documents()).isEqualTo(2);
      assertThat(store.restore(entry.name())).isEqualTo(2);
      assertThat(store.collections(Scope.ALL).getFirst().count()).isEqualTo(2);
    }
  }
}
