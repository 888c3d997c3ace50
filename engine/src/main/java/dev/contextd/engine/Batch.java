package dev.contextd.engine;

import dev.contextd.engine.search.RowTable;
import dev.contextd.engine.search.Vectors;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.gob.StringMaps;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Documents ready to be written: every one with an id, stamped metadata and a vector of unit
 * length.
 *
 * @param ids the documents' ids, in their order
 * @param model that embedded at least one of them; empty where all vectors came with the call
 */
public record Batch(
    List<StoredDocument> documents,
    List<String> ids,
    List<String> truncated,
    Optional<String> model) {
  private static final double UNIT_TOLERANCE = 1e-6;

  /**
   * Embeds what has no vector; takes as long as the model does, so no lock is held.
   *
   * @param model that embeds texts; asked for only where there is one
   * @throws StoreException where a document is refused
   */
  public static Batch prepare(List<NewDocument> documents, Scope scope, Supplier<Embedder> model) {
    Checks.batch(documents);
    List<String> texts = new ArrayList<>();
    for (NewDocument document : documents) {
      scope.refuseReserved(document.metadata().keySet(), "a document's metadata");
      if (document.embedding().isEmpty()) {
        texts.add(document.content());
      }
    }
    Optional<Embedder> embedder = texts.isEmpty() ? Optional.empty() : Optional.of(model.get());
    List<EmbeddedText> embedded = embedder.map(used -> used.embed(texts)).orElse(List.of());
    List<String> ids = new ArrayList<>(documents.size());
    List<StoredDocument> ready = new ArrayList<>(documents.size());
    List<String> truncated = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < documents.size(); i++) {
      NewDocument document = documents.get(i);
      String id = document.id().orElseGet(() -> UUID.randomUUID().toString());
      float[] vector;
      if (document.embedding().isPresent()) {
        vector = document.embedding().get();
      } else {
        EmbeddedText text = embedded.get(next++);
        vector = text.vector();
        Checks.vector(vector, "the model's vector of documents[" + i + "]");
        if (text.truncated()) {
          truncated.add(id);
        }
      }
      ids.add(id);
      ready.add(
          new StoredDocument(
              id, stamped(document.metadata(), scope), unit(vector), document.content()));
    }
    return new Batch(
        List.copyOf(ready), List.copyOf(ids), truncated, embedder.map(Embedder::model));
  }

  /** The first vector's dimension. */
  public int dimension() {
    return documents.getFirst().embedding().length;
  }

  /** The dimension all vectors have, which must be the collection's unless that is 0. */
  public int requireDimension(int expected) {
    int dimension = expected == 0 ? documents.getFirst().embedding().length : expected;
    for (int i = 0; i < documents.size(); i++) {
      Checks.dimension(
          dimension, documents.get(i).embedding().length, "documents[" + i + "].embedding");
    }
    return dimension;
  }

  List<RowTable.Put> rows() {
    List<RowTable.Put> rows = new ArrayList<>(documents.size());
    for (StoredDocument document : documents) {
      rows.add(
          new RowTable.Put(
              document.id(), document.content(), document.metadataOrEmpty(), document.embedding()));
    }
    return rows;
  }

  /** chromem-go scores by dot product and never normalises what it loads. */
  private static float[] unit(float[] vector) {
    double norm = Vectors.norm(vector);
    return Math.abs(norm - 1) < UNIT_TOLERANCE ? vector.clone() : Vectors.scaled(vector, norm);
  }

  /** Null where there are none, as rows give them back: a document has one encoding, not two. */
  private static @Nullable Map<String, String> stamped(Map<String, String> metadata, Scope scope) {
    if (scope.isAll()) {
      return metadata.isEmpty() ? null : metadata;
    }
    Map<String, String> stamped = new HashMap<>(metadata);
    stamped.putAll(scope.stamps());
    return StringMaps.copyOf(stamped);
  }
}
