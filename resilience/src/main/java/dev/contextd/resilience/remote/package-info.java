/**
 * The store beside a remote one: what is written here goes there, in order, also after it was away.
 */
@NullMarked
package dev.contextd.resilience.remote;

import org.jspecify.annotations.NullMarked;
