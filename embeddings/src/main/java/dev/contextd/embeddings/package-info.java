/**
 * Text to vector: the model that lies inside the program, or an OpenAI-compatible endpoint. Start
 * at {@link dev.contextd.embeddings.Embedders}. A server whose vectors come with the call has no
 * embedder at all, so this room has no class for that case.
 */
@NullMarked
package dev.contextd.embeddings;

import org.jspecify.annotations.NullMarked;
