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
public record StoredCollection(String name, @Nullable Map<String, String> metadata) {}
