/** A store's folder as it is written: collections, trash, quarantine, and the records of ours. */
@NullMarked
package dev.contextd.storage.folder;

import org.jspecify.annotations.NullMarked;
