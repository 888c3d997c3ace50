package dev.contextd.engine;

import org.jspecify.annotations.Nullable;

/**
 * The one exception of the public API. Its message says what was expected, what was found, where,
 * and what to do next.
 */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public StoreException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public StoreException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }
}
