package dev.contextd.storage.gob;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A growing buffer that writes gob's primitive values, descriptors and messages; the layout stands
 * at {@link GobReader}.
 */
public final class GobWriter {
  private static final int INITIAL_BYTES = 512;

  private static final int MAX_UINT_BYTES = 1 + Long.BYTES;

  /** A float64 that was a float32 ends in three bytes of zero, which are not written. */
  private static final int FLOAT_BYTES = 5;

  /** The last of its bytes that may be none. */
  private static final long LAST_FLOAT_BYTE = 0xff000000L;

  private static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LITTLE_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private byte[] buffer;
  private int length;

  public GobWriter() {
    this(INITIAL_BYTES);
  }

  public GobWriter(int initialBytes) {
    this.buffer = new byte[initialBytes];
  }

  public byte[] toByteArray() {
    return Arrays.copyOf(buffer, length);
  }

  public int length() {
    return length;
  }

  public GobWriter raw(byte[] bytes) {
    return raw(bytes, bytes.length);
  }

  /** Appends everything that {@code other} holds. */
  public GobWriter raw(GobWriter other) {
    return raw(other.buffer, other.length);
  }

  private GobWriter raw(byte[] bytes, int count) {
    ensure(count);
    System.arraycopy(bytes, 0, buffer, length, count);
    length += count;
    return this;
  }

  public GobWriter uint(long value) {
    ensure(MAX_UINT_BYTES);
    put(value);
    return this;
  }

  /** There is room for {@link #MAX_UINT_BYTES}. */
  private void put(long value) {
    if (value >= 0 && value < 0x80) {
      buffer[length++] = (byte) value;
      return;
    }
    int zeroBits = Long.numberOfLeadingZeros(value) / Byte.SIZE * Byte.SIZE;
    int count = Long.BYTES - zeroBits / Byte.SIZE;
    buffer[length] = (byte) -count;
    BIG_ENDIAN.set(buffer, length + 1, value << zeroBits); // What is too much is written over.
    length += 1 + count;
  }

  public GobWriter sint(long value) {
    return uint(value < 0 ? ~value << 1 | 1 : value << 1);
  }

  public GobWriter float64(double value) {
    return uint(Long.reverseBytes(Double.doubleToRawLongBits(value)));
  }

  public GobWriter string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return uint(utf8.length).raw(utf8);
  }

  /** Appends a map in the order of its keys. */
  public GobWriter stringMap(Map<String, String> map) {
    uint(map.size());
    StringMaps.inOrder(map, (key, value) -> string(key).string(value));
    return this;
  }

  public GobWriter floats(float[] values) {
    uint(values.length);
    ensure(Math.multiplyExact(values.length, MAX_UINT_BYTES));
    for (float value : values) {
      put(value);
    }
    return this;
  }

  /** As {@link #float64} of the same value; there is room for {@link #MAX_UINT_BYTES}. */
  private void put(float value) {
    long bits = Double.doubleToRawLongBits(value);
    if ((bits & LAST_FLOAT_BYTE) == 0) {
      put(Long.reverseBytes(bits));
      return;
    }
    buffer[length] = -FLOAT_BYTES;
    LITTLE_ENDIAN.set(buffer, length + 1, bits >>> (Long.SIZE - FLOAT_BYTES * Byte.SIZE));
    length += 1 + FLOAT_BYTES;
  }

  /** Appends a message: the count of its bytes, then the type id, then the value. */
  public GobWriter message(int typeId, GobWriter value) {
    return raw(head(typeId, value)).raw(value);
  }

  /** What stands before a value in its message. */
  private static GobWriter head(int typeId, GobWriter value) {
    GobWriter id = new GobWriter(MAX_UINT_BYTES).sint(typeId);
    return new GobWriter(2 * MAX_UINT_BYTES).uint((long) id.length + value.length).raw(id);
  }

  /**
   * The bytes of {@code before} and of one message behind them, as {@link #message} makes it, in
   * one array that is made once.
   */
  public static byte[] fileOf(byte[] before, int typeId, GobWriter value) {
    GobWriter head = head(typeId, value);
    byte[] file = Arrays.copyOf(before, before.length + head.length + value.length);
    System.arraycopy(head.buffer, 0, file, before.length, head.length);
    System.arraycopy(value.buffer, 0, file, before.length + head.length, value.length);
    return file;
  }

  /** Forgets what was written, and keeps the memory for what comes. */
  public GobWriter clear() {
    length = 0;
    return this;
  }

  /** How many bytes it holds memory for. */
  public int capacity() {
    return buffer.length;
  }

  /** Appends the descriptor of a struct. */
  public GobWriter describeStruct(int typeId, String name, List<WireType.Field> fields) {
    GobWriter body = new GobWriter().uint(3).uint(1);
    common(body, typeId, name).uint(1).uint(fields.size());
    for (WireType.Field field : fields) {
      body.uint(1).string(field.name()).uint(1).sint(field.typeId()).uint(0);
    }
    return message(-typeId, body.uint(0).uint(0));
  }

  /** Appends the descriptor of a map. */
  public GobWriter describeMap(int typeId, String name, int keyTypeId, int valueTypeId) {
    GobWriter body = new GobWriter().uint(4).uint(1);
    common(body, typeId, name).uint(1).sint(keyTypeId).uint(1).sint(valueTypeId);
    return message(-typeId, body.uint(0).uint(0));
  }

  /** Appends the descriptor of a slice. */
  public GobWriter describeSlice(int typeId, String name, int elementTypeId) {
    GobWriter body = new GobWriter().uint(2).uint(1);
    common(body, typeId, name).uint(1).sint(elementTypeId);
    return message(-typeId, body.uint(0).uint(0));
  }

  private static GobWriter common(GobWriter body, int typeId, String name) {
    if (!name.isEmpty()) {
      body.uint(1).string(name).uint(1);
    } else {
      body.uint(2);
    }
    return body.sint(typeId).uint(0);
  }

  private void ensure(int more) {
    if (length + more > buffer.length || length + more < 0) {
      int wanted = Math.addExact(length, more);
      long doubled = Math.min((long) buffer.length * 2, Integer.MAX_VALUE - 8);
      buffer = Arrays.copyOf(buffer, (int) Math.max(wanted, doubled));
    }
  }
}
