/** Packs: the second copy of every document, and the manifest that names the live ones. */
@NullMarked
package dev.contextd.storage.pack;

import org.jspecify.annotations.NullMarked;
