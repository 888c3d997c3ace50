package dev.contextd.storage.binary;

import dev.contextd.storage.gob.FormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A cursor over what {@link BinaryWriter} wrote.
 *
 * <p>Invariants: no method reads past the limit, or allocates more than a small multiple of the
 * bytes at hand; every violation is a {@link FormatException}.
 */
public final class BinaryReader {
  private static final int MIN_ENTRY_BYTES = 2 * Integer.BYTES;

  private final ByteBuffer bytes;

  /** Reads from the buffer's position to its limit; the buffer itself is not moved. */
  public BinaryReader(ByteBuffer bytes) {
    this.bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads what {@link BinaryWriter#sealed} gave, up to its checksum.
   *
   * @param what it is, for the error
   * @throws FormatException where the checksum is not that of what stands before it
   */
  public static BinaryReader ofSealed(byte[] file, String what) throws FormatException {
    int end = file.length - Integer.BYTES;
    if (end < 0) {
      throw new FormatException("the %s has %d bytes".formatted(what, file.length));
    }
    ByteBuffer bytes = ByteBuffer.wrap(file);
    int crc = new BinaryReader(bytes.duplicate().position(end)).u32();
    if (crc != Crc32c.of(bytes.duplicate().limit(end))) {
      throw new FormatException("the %s fails its checksum".formatted(what));
    }
    return new BinaryReader(bytes.limit(end));
  }

  public int remaining() {
    return bytes.remaining();
  }

  public int u8() throws FormatException {
    require(1);
    return bytes.get() & 0xff;
  }

  public int u32() throws FormatException {
    require(Integer.BYTES);
    return bytes.getInt();
  }

  public long u64() throws FormatException {
    require(Long.BYTES);
    return bytes.getLong();
  }

  /** A count of things that take at least {@code minimumBytes} each. */
  public int count(int minimumBytes) throws FormatException {
    int count = u32();
    if (count < 0 || (long) count * minimumBytes > bytes.remaining()) {
      throw new FormatException(
          "expected %s things at offset %d, found %d bytes before the end"
              .formatted(
                  Integer.toUnsignedString(count),
                  bytes.position() - Integer.BYTES,
                  bytes.remaining()));
    }
    return count;
  }

  public String string() throws FormatException {
    int length = count(1);
    String text;
    if (bytes.hasArray()) {
      text =
          new String(
              bytes.array(),
              bytes.arrayOffset() + bytes.position(),
              length,
              StandardCharsets.UTF_8);
      bytes.position(bytes.position() + length);
    } else {
      byte[] utf8 = new byte[length];
      bytes.get(utf8);
      text = new String(utf8, StandardCharsets.UTF_8);
    }
    return text;
  }

  /** A map that nobody changes, of which each key stands there once; null where there is none. */
  public @Nullable Map<String, String> map() throws FormatException {
    int count = u32();
    if (count == 0) {
      return null;
    }
    if (count < 0 || (count - 1L) * MIN_ENTRY_BYTES > bytes.remaining()) {
      throw new FormatException("expected " + (count - 1L) + " entries, found fewer bytes");
    }
    if (count == 1) {
      return Map.of();
    }
    @SuppressWarnings({"unchecked", "rawtypes"})
    Map.Entry<String, String>[] entries = new Map.Entry[count - 1];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = Map.entry(string(), string());
    }
    try {
      return Map.ofEntries(entries);
    } catch (IllegalArgumentException e) {
      throw new FormatException("a key stands twice in a map", e);
    }
  }

  public float[] floats() throws FormatException {
    return rawFloats(count(Float.BYTES));
  }

  public float[] rawFloats(int count) throws FormatException {
    require((long) count * Float.BYTES);
    float[] values = new float[count];
    bytes.asFloatBuffer().get(values);
    bytes.position(bytes.position() + count * Float.BYTES);
    return values;
  }

  /** So many values, each as {@link #u64}. */
  public long[] rawLongs(int count) throws FormatException {
    require((long) count * Long.BYTES);
    long[] values = new long[count];
    bytes.asLongBuffer().get(values);
    bytes.position(bytes.position() + count * Long.BYTES);
    return values;
  }

  /**
   * Requires that nothing is left.
   *
   * @throws FormatException where something is
   */
  public void end() throws FormatException {
    if (bytes.hasRemaining()) {
      throw new FormatException(bytes.remaining() + " bytes follow the value");
    }
  }

  private void require(long count) throws FormatException {
    if (count < 0 || count > bytes.remaining()) {
      throw new FormatException(
          "expected %d bytes at offset %d, found %d before the end"
              .formatted(count, bytes.position(), bytes.remaining()));
    }
  }
}
