package dev.contextd.storage.gob;

/**
 * The one exception of the decoders: the bytes at hand are not what their format allows. It is
 * checked, because a damaged file is an expected value of the world, not a bug.
 */
public final class FormatException extends Exception {
  private static final long serialVersionUID = 1L;

  public FormatException(String message) {
    super(message);
  }

  public FormatException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What was expected and what was found, as part of a sentence. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
