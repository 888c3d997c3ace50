/** Measured speed; {@code benchmarks/run} sets it beside the peers. */
@NullMarked
package dev.contextd.benchmarks;

import org.jspecify.annotations.NullMarked;
