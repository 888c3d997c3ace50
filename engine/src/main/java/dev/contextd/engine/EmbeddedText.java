package dev.contextd.engine;

/**
 * A text as a vector.
 *
 * @param vector {@code float[dimension]}, finite, not zero; not necessarily of unit length
 * @param truncated whether the text was longer than the model reads, so that the vector stands for
 *     its first part only
 */
public record EmbeddedText(float[] vector, boolean truncated) {}
