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

  /** Between two checkpoints each deletion was noted alone, and the first version was lost. */
  @Test
  void everyDeletedVersionIsKeptAndTheLastOneIsBroughtBack() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      for (int version = 0; version < 12; version++) {
        notes.upsert(List.of(NewDocument.of("a", "version " + version, new float[] {1, 0})));
        if (version == 0) {
          store.checkpoint();
        }
        notes.delete(List.of("a"));
      }
      store.checkpoint();
      List<VectorStore.TrashEntry> entries = store.trash();
      assertThat(entries.stream().mapToInt(VectorStore.TrashEntry::documents).sum()).isEqualTo(12);
      assertThat(store.restore(entries.getLast().name())).isEqualTo(1);
      assertThat(notes.get(List.of("a")).getFirst().content()).isEqualTo("version 11");
    }
  }
}
