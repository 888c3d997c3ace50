package dev.contextd.resilience;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.io.IOException;

/** What operators are told of work that was not done. */
final class Failures {
  private Failures() {}

  /** The call itself cannot be meant so. */
  static StoreException refused(String message) {
    return new StoreException(ErrorCode.INVALID_ARGUMENT, message);
  }

  static StoreException failed(String what, IOException e) {
    return new StoreException(ErrorCode.STORAGE_FAILED, what + " failed: " + e.getMessage(), e);
  }
}
