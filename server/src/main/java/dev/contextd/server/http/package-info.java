/** HTTP: what comes in is bounded, checked and handed to the store; what goes out is JSON. */
@NullMarked
package dev.contextd.server.http;

import org.jspecify.annotations.NullMarked;
