/**
 * The store attacked from outside: daemons killed and started again, folders damaged and opened,
 * readers beside writers. What it must hold then stands in {@link dev.contextd.crash.Promises} and
 * {@link dev.contextd.crash.DamagePromises}.
 */
@NullMarked
package dev.contextd.crash;

import org.jspecify.annotations.NullMarked;
