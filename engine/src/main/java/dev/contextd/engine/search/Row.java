package dev.contextd.engine.search;

import dev.contextd.storage.checkpoint.PackUnit;
import dev.contextd.storage.chromem.StoredDocument;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A document in memory: everything but its vector, and where that stands.
 *
 * <p>One that came from a pack is decoded when it is asked for. Only its id is kept then, and what
 * filters ask every row for: the content where texts are sought, the metadata where a field has no
 * column.
 */
public final class Row {
  private final RowChunk chunk;
  private final int slot;
  private final float @Nullable [] original;

  /** Null as long as nobody asked for that of a packed one. */
  private @Nullable String id;

  /** Null as long as no text was sought in that of a packed one. */
  private @Nullable String content;

  /** Null as long as no field without a column was asked for in that of a packed one. */
  private @Nullable Map<String, String> metadata;

  private final @Nullable PackUnit packed;

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
    this.packed = null;
  }

  /**
   * A row of a pack, which stands in the slot of its number.
   *
   * @param original the vector as stored where it is not of unit length; else null
   */
  Row(PackUnit packed, RowChunk chunk, int slot, float @Nullable [] original) {
    this.packed = packed;
    this.chunk = chunk;
    this.slot = slot;
    this.original = original;
  }

  public String id() {
    String known = id;
    if (known == null) {
      known = packed().id(slot);
      id = known;
    }
    return known;
  }

  public String content() {
    String known = content;
    return known != null ? known : packed().content(slot);
  }

  /** The content, for who will ask again: a text that is sought is sought in every document. */
  String keptContent() {
    String kept = content();
    content = kept;
    return kept;
  }

  public Map<String, String> metadata() {
    Map<String, String> known = metadata;
    return known != null ? known : packed().metadata(slot);
  }

  /** The metadata, for who will ask again: a filter on a field without a column asks every row. */
  Map<String, String> keptMetadata() {
    Map<String, String> kept = metadata();
    metadata = kept;
    return kept;
  }

  /** Every row that lacks anything is a packed one. */
  private PackUnit packed() {
    return Objects.requireNonNull(packed);
  }

  /** The vector as it is stored, bit for bit: {@code float[dimension]}, a copy. */
  public float[] embedding() {
    return original != null ? original.clone() : chunk.vector(slot);
  }

  /** The document as it is stored. */
  public StoredDocument stored() {
    Map<String, String> fields = metadata();
    return new StoredDocument(id(), fields.isEmpty() ? null : fields, embedding(), content());
  }

  RowChunk chunk() {
    return chunk;
  }

  int slot() {
    return slot;
  }
}
