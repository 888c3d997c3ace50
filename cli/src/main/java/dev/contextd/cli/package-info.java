/** The operator's tool {@code ctxd}: one class a command. */
@NullMarked
package dev.contextd.cli;

import org.jspecify.annotations.NullMarked;
