/** Backups: runs that share unchanged content, in a folder outside of the store. */
@NullMarked
package dev.contextd.storage.backup;

import org.jspecify.annotations.NullMarked;
