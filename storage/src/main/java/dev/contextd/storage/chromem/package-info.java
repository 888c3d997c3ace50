/** The chromem-go folder: names, document and metadata files, export files. */
@NullMarked
package dev.contextd.storage.chromem;

import org.jspecify.annotations.NullMarked;
