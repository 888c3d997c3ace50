/** The primitive values of our own files, little-endian and bounded. */
@NullMarked
package dev.contextd.storage.binary;

import org.jspecify.annotations.NullMarked;
