package dev.contextd.storage.chromem;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A collection's name and metadata as they stand in its metadata file.
 *
 * @param name not empty
 * @param metadata null where the file has none; an empty map where it has an empty one (chromem-go
 *     writes an empty map for a collection created without metadata, and so do we)
 */
public record StoredCollection(String name, @Nullable Map<String, String> metadata) {

  /** The metadata, of which absent and empty mean the same to whoever reads a collection. */
  public Map<String, String> metadataOrEmpty() {
    return metadata == null ? Map.of() : metadata;
  }
}
