/** A Qdrant for tests. */
@NullMarked
package dev.contextd.qdrant.testkit;

import org.jspecify.annotations.NullMarked;
