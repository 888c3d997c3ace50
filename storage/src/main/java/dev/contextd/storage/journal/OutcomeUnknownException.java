package dev.contextd.storage.journal;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A write that is answered as failed, and may be found by the next opening all the same: its record
 * is in the journal's file, and what voids it could not be written yet.
 */
public final class OutcomeUnknownException extends IOException {
  private static final long serialVersionUID = 1L;

  OutcomeUnknownException(String message) {
    super(message);
  }

  OutcomeUnknownException(@Nullable String message, Throwable cause) {
    super(message, cause);
  }

  /** Whether an exception, or what caused it, leaves an outcome unknown. */
  public static boolean is(IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutcomeUnknownException) {
        return true;
      }
    }
    return false;
  }
}
