/**
 * Measured speed; {@code benchmarks/run} and {@code benchmarks/run-store} set it beside the peers.
 */
@NullMarked
package dev.contextd.benchmarks;

import org.jspecify.annotations.NullMarked;
