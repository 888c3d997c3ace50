/** The write-ahead journal: every write is in it, synced, before anybody sees it or is told. */
@NullMarked
package dev.contextd.storage.journal;

import org.jspecify.annotations.NullMarked;
