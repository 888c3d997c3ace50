package dev.contextd.server.http;

/**
 * A problem as RFC 9457 describes it, with the code of ours and the next step.
 *
 * @param type a name for the kind of problem
 * @param instance the path of the call
 * @param next the command or call that helps
 */
record Problem(
    String type,
    String title,
    int status,
    String detail,
    String instance,
    String code,
    String next) {

  static final String CONTENT_TYPE = "application/problem+json";

  static Problem of(ProblemCode code, int status, String detail, String instance) {
    return new Problem(
        "urn:contextd:problem:" + code.word(),
        code.title(),
        status,
        detail,
        instance,
        code.word(),
        code.next());
  }
}
