/** The daemon: settings, wiring, the way in and the way out. */
@NullMarked
package dev.contextd.server;

import org.jspecify.annotations.NullMarked;
