package dev.contextd.engine;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.DiskFull;
import dev.contextd.storage.journal.OutcomeUnknownException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
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

  /**
   * What a failed write means to its caller.
   *
   * @param what was being done
   */
  public static StoreException ofDisk(String what, IOException e) {
    @Nullable String reason = e.getMessage();
    if (OutcomeUnknownException.is(e)) {
      return new StoreException(
          ErrorCode.OUTCOME_UNKNOWN, what + " failed and does not show: " + reason, e);
    }
    if (DiskFull.is(e)) {
      return new StoreException(
          ErrorCode.STORAGE_FULL,
          what + " failed and changed nothing: the disk is full; free some space and try again",
          e);
    }
    String outcome =
        e instanceof Disk.UndoFailedException ? " failed halfway: " : " failed, nothing changed: ";
    String cause = e instanceof NoSuchFileException ? "not found: " + reason : reason;
    return new StoreException(ErrorCode.STORAGE_FAILED, what + outcome + cause, e);
  }
}
