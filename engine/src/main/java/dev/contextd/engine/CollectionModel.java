package dev.contextd.engine;

import dev.contextd.engine.CollectionInfo.Model;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.checkpoint.KeptCollection;
import dev.contextd.storage.folder.ModelRecord;
import java.io.IOException;
import java.util.Optional;

/**
 * Which model made a collection's vectors: the one on record, or the configured one where none is
 * and its dimension agrees.
 *
 * <p>Invariant: the record on disk is written before the first document that the model embedded.
 */
final class CollectionModel {
  private final EmbeddedStore store;
  private final KeptCollection kept;
  private volatile Optional<ModelRecord> recorded = Optional.empty();

  CollectionModel(EmbeddedStore store, KeptCollection kept) {
    this.store = store;
    this.kept = kept;
  }

  /** Takes what was found on disk. */
  void found(Optional<ModelRecord> record) {
    recorded = record;
    kept.model(record);
  }

  void record(ModelRecord record) throws IOException {
    if (!recorded.equals(Optional.of(record))) {
      store.folder().recordModel(kept.folder(), record);
      found(Optional.of(record));
    }
  }

  /**
   * @throws StoreException where text embedded by {@code used} does not belong among these vectors
   */
  void require(String used, Snapshot snapshot) {
    Optional<ModelRecord> valid = valid(snapshot);
    valid.ifPresent(record -> Checks.model(kept.stored().name(), record.model(), used));
  }

  Optional<Model> info(Snapshot snapshot) {
    return valid(snapshot)
        .map(record -> new Model(record.model(), false))
        .or(() ->
            store
                .embedderIfAny()
                .filter(embedder -> isAssumed(embedder, snapshot.dimension()))
                .map(embedder -> new Model(embedder.model(), true)));
  }

  private static boolean isAssumed(Embedder embedder, int dimension) {
    return dimension > 0 && embedder.knownDimension().orElse(-1) == dimension;
  }

  /**
   * The model that binds. A record of another dimension speaks of vectors that are no longer there;
   * in an empty collection any record does, or of a write that failed.
   */
  private Optional<ModelRecord> valid(Snapshot snapshot) {
    return recorded.filter(record -> record.dimension() == snapshot.dimension());
  }
}
