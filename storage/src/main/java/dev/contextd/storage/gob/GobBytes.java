package dev.contextd.storage.gob;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A cursor over the bytes of one gob stream that reads gob's primitive values.
 *
 * <p>Invariants: {@code 0 <= position <= limit <= bytes.length}; no method reads at or past {@code
 * limit}, and no method allocates more than a small multiple of the bytes between the two. Every
 * violation is a {@link FormatException}.
 *
 * <pre>
 * uint    one byte below 0x80, or: the negated count of bytes n (0xff is 1, 0xf8 is 8), then n bytes, big-endian
 * int     uint u; u >> 1, complemented where the lowest bit of u is set
 * float   uint; its 8 bytes reversed are the bits of a float64
 * string  uint count, then that many bytes
 * </pre>
 */
final class GobBytes {
  private static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final byte[] bytes;
  private int position;
  private int limit;
  private boolean malformedText;

  GobBytes(byte[] bytes) {
    this.bytes = bytes;
    this.limit = bytes.length;
  }

  int position() {
    return position;
  }

  int limit() {
    return limit;
  }

  /** Narrows the readable range to {@code count} bytes. */
  void narrow(int count) {
    limit = position + count;
  }

  /** Makes everything behind the position readable again. */
  void widen() {
    limit = bytes.length;
  }

  int remaining() {
    return limit - position;
  }

  byte[] array() {
    return bytes;
  }

  void skip(long count) throws FormatException {
    if (count < 0 || count > remaining()) {
      throw error("a length of " + Long.toUnsignedString(count) + " bytes");
    }
    position += (int) count;
  }

  /** Reads an unsigned integer; values above {@link Long#MAX_VALUE} come as negative longs. */
  long uint() throws FormatException {
    if (position >= limit) {
      throw error("an integer");
    }
    int first = bytes[position++];
    if (first >= 0) {
      return first;
    }
    int count = -first;
    if (count > Long.BYTES) {
      throw new FormatException(
          "an integer of " + count + " bytes at offset " + (position - 1) + ", at most 8 allowed");
    }
    if (count > remaining()) {
      throw error("an integer of " + count + " bytes");
    }
    if (limit - position >= Long.BYTES) {
      long value = (long) BIG_ENDIAN.get(bytes, position) >>> ((Long.BYTES - count) * Byte.SIZE);
      position += count;
      return value;
    }
    long value = 0;
    for (int end = position + count; position < end; position++) {
      value = value << 8 | (bytes[position] & 0xff);
    }
    return value;
  }

  long sint() throws FormatException {
    long raw = uint();
    return (raw & 1) != 0 ? ~(raw >>> 1) : raw >>> 1;
  }

  /** Reads a type id: bounded to what an {@code int} holds. */
  int typeId() throws FormatException {
    long id = sint();
    if (id != (int) id) {
      throw new FormatException("type id " + id + " at offset " + position + " is out of range");
    }
    return (int) id;
  }

  /** Reads a count of elements that take at least {@code minimumBytes} each. */
  int count(int minimumBytes) throws FormatException {
    long count = uint();
    if (count < 0 || count > remaining() / minimumBytes) {
      throw error(Long.toUnsignedString(count) + " elements");
    }
    return (int) count;
  }

  double float64() throws FormatException {
    return Double.longBitsToDouble(Long.reverseBytes(uint()));
  }

  /**
   * Reads a float64 that must fit a float32, by Go's own rule: a finite value whose magnitude
   * exceeds the largest float32 is an error, infinities and NaN are not.
   */
  float float32() throws FormatException {
    double wide = float64();
    float value = (float) wide;
    if (Math.abs(wide) > Float.MAX_VALUE && Math.abs(wide) <= Double.MAX_VALUE) {
      throw new FormatException("value " + wide + " at offset " + position + " exceeds a float32");
    }
    return value;
  }

  /** Reads a string; bytes that are not UTF-8 become U+FFFD, and {@link #malformedText} says so. */
  String string() throws FormatException {
    int length = count(1);
    String text = new String(bytes, position, length, StandardCharsets.UTF_8);
    if (!malformedText && text.indexOf('\uFFFD') >= 0) {
      malformedText = !isUtf8(position, length);
    }
    position += length;
    return text;
  }

  /** The bytes of the string that starts here, without moving past it. */
  byte[] peekStringBytes() throws FormatException {
    int start = position;
    int length = count(1);
    byte[] raw = Arrays.copyOfRange(bytes, position, position + length);
    position = start;
    return raw;
  }

  /** Whether any string read so far held bytes that are not UTF-8. */
  boolean malformedText() {
    return malformedText;
  }

  private boolean isUtf8(int from, int length) {
    try {
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes, from, length));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private FormatException error(String expected) {
    return new FormatException(
        "expected "
            + expected
            + " at offset "
            + position
            + ", found "
            + remaining()
            + " bytes before the end");
  }
}
