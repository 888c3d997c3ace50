package dev.contextd.storage.chromem;

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
    String id, @Nullable Map<String, String> metadata, float[] embedding, String content) {}
