package dev.contextd.storage.binary;

import dev.contextd.storage.gob.StringMaps;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A growing buffer of little-endian values.
 *
 * <pre>
 * u8, u32, u64   1, 4, 8 bytes
 * string         u32 count, bytes of UTF-8
 * map            u32 count + 1, or 0 where there is none; then key and value alternating, sorted
 * floats         u32 count, 4 bytes each
 * </pre>
 */
public final class BinaryWriter {
  private static final int INITIAL_BYTES = 256;
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOATS =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONGS =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private byte[] buffer;
  private int length;

  public BinaryWriter() {
    this(INITIAL_BYTES);
  }

  public BinaryWriter(int initialBytes) {
    this.buffer = new byte[Math.max(initialBytes, Long.BYTES)];
  }

  public int length() {
    return length;
  }

  public byte[] toByteArray() {
    return Arrays.copyOf(buffer, length);
  }

  /** All that was written, without a copy; not to be written to afterwards. */
  public ByteBuffer toByteBuffer() {
    return ByteBuffer.wrap(buffer, 0, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  public BinaryWriter u8(int value) {
    ensure(1);
    buffer[length++] = (byte) value;
    return this;
  }

  public BinaryWriter u32(int value) {
    ensure(Integer.BYTES);
    INT.set(buffer, length, value);
    length += Integer.BYTES;
    return this;
  }

  public BinaryWriter u64(long value) {
    ensure(Long.BYTES);
    LONG.set(buffer, length, value);
    length += Long.BYTES;
    return this;
  }

  public BinaryWriter raw(byte[] bytes) {
    ensure(bytes.length);
    System.arraycopy(bytes, 0, buffer, length, bytes.length);
    length += bytes.length;
    return this;
  }

  public BinaryWriter string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return u32(utf8.length).raw(utf8);
  }

  public BinaryWriter map(@Nullable Map<String, String> map) {
    if (map == null) {
      return u32(0);
    }
    u32(map.size() + 1);
    StringMaps.inOrder(map, (key, value) -> string(key).string(value));
    return this;
  }

  public BinaryWriter floats(float[] values) {
    return u32(values.length).rawFloats(values);
  }

  /** The values alone, without their count. */
  public BinaryWriter rawFloats(float[] values) {
    ensure(Math.multiplyExact(values.length, Float.BYTES));
    MemorySegment.copy(values, 0, MemorySegment.ofArray(buffer), FLOATS, length, values.length);
    length += values.length * Float.BYTES;
    return this;
  }

  /** The first {@code count} of the values, each as {@link #u64}. */
  public BinaryWriter rawLongs(long[] values, int count) {
    ensure(Math.multiplyExact(count, Long.BYTES));
    MemorySegment.copy(values, 0, MemorySegment.ofArray(buffer), LONGS, length, count);
    length += count * Long.BYTES;
    return this;
  }

  /** Zeros up to the next multiple of {@code alignment}. */
  public BinaryWriter align(int alignment) {
    int padding = (alignment - length % alignment) % alignment;
    ensure(padding);
    Arrays.fill(buffer, length, length + padding, (byte) 0);
    length += padding;
    return this;
  }

  /** All that was written with its checksum behind it, for {@link BinaryReader#ofSealed}. */
  public byte[] sealed() {
    return u32(Crc32c.of(toByteBuffer())).toByteArray();
  }

  private void ensure(int more) {
    int wanted = Math.addExact(length, more);
    if (wanted > buffer.length) {
      long doubled = Math.min((long) buffer.length * 2, Integer.MAX_VALUE - 8);
      buffer = Arrays.copyOf(buffer, (int) Math.max(wanted, doubled));
    }
  }
}
