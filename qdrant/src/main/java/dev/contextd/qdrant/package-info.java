/** The data API on a Qdrant server; start at {@link dev.contextd.qdrant.QdrantStore}. */
@NullMarked
package dev.contextd.qdrant;

import org.jspecify.annotations.NullMarked;
