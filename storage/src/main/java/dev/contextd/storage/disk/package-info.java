/** The one door to the disk. */
@NullMarked
package dev.contextd.storage.disk;

import org.jspecify.annotations.NullMarked;
