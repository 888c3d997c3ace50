package dev.contextd.cli;

/** The work could not be done; the message is one line that says why and what to do. */
final class CliException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CliException(String message) {
    super(message);
  }
}
