package dev.contextd.engine;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.gob.StringMaps;
import java.util.Map;
import java.util.Optional;

/**
 * A document to add, or to replace the one of the same id.
 *
 * @param id 1 to {@value Limits#MAX_ID_BYTES} bytes of UTF-8; empty for a random UUID
 * @param content may be empty where there is an embedding
 * @param embedding {@code float[dimension]}, finite and not zero, stored at unit length; empty to
 *     have it made from the content
 * @param metadata keys may not begin with {@code $}
 */
public record NewDocument(
    Optional<String> id,
    String content,
    Optional<float[]> embedding,
    Map<String, String> metadata) {

  public NewDocument {
    metadata = StringMaps.copyOf(metadata);
  }

  public static NewDocument of(String id, String content, float[] embedding) {
    return new NewDocument(Optional.of(id), content, Optional.of(embedding), Map.of());
  }

  public static NewDocument ofText(String id, String content) {
    return new NewDocument(Optional.of(id), content, Optional.empty(), Map.of());
  }

  public NewDocument withMetadata(Map<String, String> newMetadata) {
    return new NewDocument(id, content, embedding, newMetadata);
  }

  /**
   * A document that was stored before. An absent vector is given as one of no values, so that it is
   * refused and not embedded.
   */
  public static NewDocument again(StoredDocument document) {
    return new NewDocument(
        Optional.of(document.id()),
        document.content(),
        Optional.of(document.embedding()),
        document.metadataOrEmpty());
  }
}
