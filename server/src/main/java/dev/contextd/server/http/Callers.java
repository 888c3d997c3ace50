package dev.contextd.server.http;

import io.javalin.http.Context;

/** Who calls, for the audit log. */
final class Callers {
  /** An operator's tool says on whose behalf it calls. A caller may say what it likes. */
  static final String OPERATOR = "X-Contextd-Operator";

  private static final int MAX_CHARACTERS = 100;

  private Callers() {}

  /** Whom the call names, of what it is plain text, and from where it came. */
  static String name(Context call) {
    String given = call.header(OPERATOR);
    String address = call.ip();
    if (given == null || given.isBlank()) {
      return "a caller at " + address;
    }
    String plain = given.strip().replaceAll("[^\\p{L}\\p{N} ._@-]", "?");
    return plain.substring(0, Math.min(plain.length(), MAX_CHARACTERS)) + " at " + address;
  }
}
