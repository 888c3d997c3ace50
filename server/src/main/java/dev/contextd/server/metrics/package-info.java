/** What Prometheus may ask of the daemon. */
@NullMarked
package dev.contextd.server.metrics;

import org.jspecify.annotations.NullMarked;
