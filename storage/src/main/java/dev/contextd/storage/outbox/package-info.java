/** The outbox: what was written here and a remote store has not got yet. */
@NullMarked
package dev.contextd.storage.outbox;

import org.jspecify.annotations.NullMarked;
