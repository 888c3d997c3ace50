package dev.contextd.server.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Percent-encoded paths, RFC 3986 section 2.1, which here carry UTF-8 and nothing else. */
final class PercentEncoding {
  private static final int ENCODED_LENGTH = 3;
  private static final int HEXADECIMAL = 16;

  /** What the HTTP server puts in place of a bad byte; the character itself comes encoded. */
  private static final char REPLACEMENT = '\uFFFD';

  private PercentEncoding() {}

  /**
   * @throws IllegalArgumentException where a sequence is cut short, is not hexadecimal, or the
   *     bytes are not UTF-8
   */
  static void requireUtf8(String path) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(path.length());
    for (int i = 0; i < path.length(); i++) {
      char unit = path.charAt(i);
      if (unit == REPLACEMENT) {
        throw new IllegalArgumentException("the path holds a byte that is not UTF-8");
      }
      if (unit != '%') {
        bytes.writeBytes(String.valueOf(unit).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      int high = i + 1 < path.length() ? Character.digit(path.charAt(i + 1), HEXADECIMAL) : -1;
      int low = i + 2 < path.length() ? Character.digit(path.charAt(i + 2), HEXADECIMAL) : -1;
      if (high < 0 || low < 0) {
        throw new IllegalArgumentException("the path holds a % without two hexadecimal digits");
      }
      bytes.write(high * HEXADECIMAL + low);
      i += ENCODED_LENGTH - 1;
    }
    try {
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes.toByteArray()));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("the path, percent-decoded, is not UTF-8", e);
    }
  }
}
