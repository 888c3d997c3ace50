package dev.contextd.server.http;

/** A call that is refused before it reaches the store. */
final class ProblemException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ProblemCode code;

  ProblemException(ProblemCode code, String detail) {
    super(detail);
    this.code = code;
  }

  ProblemCode code() {
    return code;
  }

  String detail() {
    return String.valueOf(getMessage());
  }
}
