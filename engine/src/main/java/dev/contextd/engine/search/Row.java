package dev.contextd.engine.search;

import dev.contextd.storage.chromem.StoredDocument;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A document in memory: everything but its vector, and where that stands. */
public final class Row {
  private final String id;
  private final String content;
  private final Map<String, String> metadata;
  private final RowChunk chunk;
  private final int slot;
  private final float @Nullable [] original;

  Row(
      String id,
      String content,
      Map<String, String> metadata,
      RowChunk chunk,
      int slot,
      float @Nullable [] original) {
    this.id = id;
    this.content = content;
    this.metadata = metadata;
    this.chunk = chunk;
    this.slot = slot;
    this.original = original;
  }

  public String id() {
    return id;
  }

  public String content() {
    return content;
  }

  public Map<String, String> metadata() {
    return metadata;
  }

  /** The vector as it is stored, bit for bit: {@code float[dimension]}, a copy. */
  public float[] embedding() {
    return original != null ? original.clone() : chunk.vector(slot);
  }

  /** The document as it is stored. */
  public StoredDocument stored() {
    return new StoredDocument(id, metadata.isEmpty() ? null : metadata, embedding(), content);
  }

  RowChunk chunk() {
    return chunk;
  }

  int slot() {
    return slot;
  }
}
