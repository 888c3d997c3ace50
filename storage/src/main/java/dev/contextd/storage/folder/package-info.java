/** A store's folder as it is written: collections, trash, quarantine, lock, small records. */
@NullMarked
package dev.contextd.storage.folder;

import org.jspecify.annotations.NullMarked;
