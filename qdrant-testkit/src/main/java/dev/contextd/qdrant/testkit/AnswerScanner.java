package dev.contextd.qdrant.testkit;

/**
 * Finds where a server's answers begin in the bytes it sends over HTTP/2 without TLS.
 *
 * <p>A frame (RFC 9113, section 4.1) is the length of its payload, 3 bytes, big-endian; its type, 1
 * byte; flags, 1 byte; the stream, 4 bytes; the payload. HEADERS, DATA and RST_STREAM answer a
 * call; SETTINGS, WINDOW_UPDATE and PING only keep the connection going.
 *
 * <p>Invariant: has read every byte of the connection, so that it knows where frames begin.
 */
final class AnswerScanner {
  static final int NONE = -1;

  private static final int HEADER_BYTES = 9;
  private static final byte DATA = 0;
  private static final byte HEADERS = 1;
  private static final byte RST_STREAM = 3;

  private final byte[] header = new byte[HEADER_BYTES];
  private int headerRead;
  private int payloadLeft;

  /**
   * The offset in this chunk of the first frame that answers a call, zero if the frame began before
   * the chunk, or {@link #NONE}.
   */
  int firstAnswer(byte[] chunk, int length) {
    int first = NONE;
    int at = 0;
    while (at < length) {
      if (payloadLeft > 0) {
        int skipped = Math.min(payloadLeft, length - at);
        payloadLeft -= skipped;
        at += skipped;
        continue;
      }
      header[headerRead++] = chunk[at++];
      if (headerRead == HEADER_BYTES) {
        headerRead = 0;
        payloadLeft = (header[0] & 0xff) << 16 | (header[1] & 0xff) << 8 | (header[2] & 0xff);
        if (first == NONE && isAnswer(header[3])) {
          first = Math.max(0, at - HEADER_BYTES);
        }
      }
    }
    return first;
  }

  private static boolean isAnswer(byte type) {
    return type == DATA || type == HEADERS || type == RST_STREAM;
  }
}
