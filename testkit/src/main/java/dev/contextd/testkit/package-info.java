/** What tests share. */
@NullMarked
package dev.contextd.testkit;

import org.jspecify.annotations.NullMarked;
