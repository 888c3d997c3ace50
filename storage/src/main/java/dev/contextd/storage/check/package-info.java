/** The check: reads a store and returns its damage as values; it changes nothing. */
@NullMarked
package dev.contextd.storage.check;

import org.jspecify.annotations.NullMarked;
