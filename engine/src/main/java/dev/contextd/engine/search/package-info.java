/** Rows of vectors and the scan over them; internal to the engine. */
@NullMarked
package dev.contextd.engine.search;

import org.jspecify.annotations.NullMarked;
