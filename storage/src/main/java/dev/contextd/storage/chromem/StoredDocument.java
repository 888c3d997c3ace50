package dev.contextd.storage.chromem;

import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A document as it stands in a file.
 *
 * @param id not empty
 * @param metadata null where the file has none; an empty map where it has an empty one
 * @param embedding {@code float[dimension]}, empty where the file has none
 */
public record StoredDocument(
    String id, @Nullable Map<String, String> metadata, float[] embedding, String content) {

  /** The metadata, of which absent and empty mean the same to whoever reads a document. */
  public Map<String, String> metadataOrEmpty() {
    return metadata == null ? Map.of() : metadata;
  }

  /** Whether the other one says the same, whatever its id: absent metadata equal empty ones. */
  public boolean hasSameContentAs(StoredDocument other) {
    return content.equals(other.content)
        && Arrays.equals(embedding, other.embedding)
        && metadataOrEmpty().equals(other.metadataOrEmpty());
  }
}
