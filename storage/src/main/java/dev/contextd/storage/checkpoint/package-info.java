/**
 * The durable side of a store: how it is opened from manifest, packs and journal, and how a
 * checkpoint carries the journal into gob files and packs. Start at {@link
 * dev.contextd.storage.checkpoint.StoreKeeper}.
 */
@NullMarked
package dev.contextd.storage.checkpoint;

import org.jspecify.annotations.NullMarked;
