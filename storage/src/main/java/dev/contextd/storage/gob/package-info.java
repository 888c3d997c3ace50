/**
 * Go's gob encoding: a decoder that reads type descriptors and an encoder for the shapes chromem-go
 * stores.
 */
@NullMarked
package dev.contextd.storage.gob;

import org.jspecify.annotations.NullMarked;
