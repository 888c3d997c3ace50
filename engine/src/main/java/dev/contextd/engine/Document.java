package dev.contextd.engine;

import java.util.Map;

/**
 * A document as it is stored.
 *
 * @param embedding {@code float[dimension]}, a copy
 * @param metadata in no particular order
 */
public record Document(
    String id, String content, float[] embedding, Map<String, String> metadata) {}
