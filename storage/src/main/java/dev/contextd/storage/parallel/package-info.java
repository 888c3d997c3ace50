/** Work that the calling thread shares with those of a pool. */
@NullMarked
package dev.contextd.storage.parallel;

import org.jspecify.annotations.NullMarked;
