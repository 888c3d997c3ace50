/** Settings: from flags, then environment, then {@code config.yaml}, then defaults. */
@NullMarked
package dev.contextd.server.settings;

import org.jspecify.annotations.NullMarked;
