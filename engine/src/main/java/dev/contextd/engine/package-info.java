/**
 * The embedded vector store: collections of documents, filters, exact cosine search. This package
 * is the public API a Java program embeds; start at {@link dev.contextd.engine.VectorStore}.
 */
@NullMarked
package dev.contextd.engine;

import org.jspecify.annotations.NullMarked;
