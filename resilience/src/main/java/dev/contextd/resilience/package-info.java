/**
 * What happens to damage: a store is opened whatever its folder holds, what is damaged is set
 * aside, and its health is told. Start at {@link dev.contextd.resilience.ResilientStore}.
 */
@NullMarked
package dev.contextd.resilience;

import org.jspecify.annotations.NullMarked;
