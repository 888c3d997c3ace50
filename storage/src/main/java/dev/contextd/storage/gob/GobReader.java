package dev.contextd.storage.gob;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A reader of the first value in a gob stream, driven by the type descriptors in the stream itself.
 *
 * <p>The caller opens the value with {@link #open()}, then walks it: {@link #structure}, {@link
 * #string}, {@link #stringMap}, {@link #floats}, {@link #entries}, and {@link #skip} for what it
 * does not know. Each call names the type id the stream declared, so a value of another shape is a
 * {@link FormatException}, never a misreading.
 *
 * <p>A stream is a sequence of messages, each a uint count of bytes and then:
 *
 * <pre>
 * int -id   wireType     a type descriptor, id is 64 or above
 * int  id   value        the value; what is not a struct is preceded by a zero byte
 * </pre>
 *
 * <p>Bounds: every length is checked against the bytes at hand, types nest at most {@value
 * #MAX_DEPTH} deep, and a skipped value consumes at least a byte an element.
 *
 * <p>Source: the documentation of Go's package {@code encoding/gob}.
 */
public final class GobReader {
  /** How deep values may nest. */
  static final int MAX_DEPTH = 64;

  /** More than this many bytes of descriptors are read anew each time. */
  private static final int MAX_KEPT_BYTES = 4 << 10;

  /** What the last stream described: nearly all files of a store begin with the same bytes. */
  private static volatile Described last = new Described(new byte[0], Map.of());

  private record Described(byte[] bytes, Map<Integer, WireType> types) {
    boolean beginsIn(byte[] stream) {
      return bytes.length > 0
          && stream.length >= bytes.length
          && Arrays.equals(stream, 0, bytes.length, bytes, 0, bytes.length);
    }
  }

  private final GobBytes in;
  private final TypeTable types;
  private int end;

  public GobReader(byte[] stream) {
    this.in = new GobBytes(stream);
    this.types = new TypeTable(in);
  }

  /**
   * Reads descriptors up to the first value and enters it.
   *
   * @return the type id of the value
   */
  public int open() throws FormatException {
    int known = skipKnown();
    while (true) {
      int begin = in.position();
      if (in.remaining() == 0) {
        throw new FormatException(
            in.position() == 0 ? "the file is empty" : "the stream ends before its value");
      }
      nextMessage();
      int id = in.typeId();
      if (id >= 0) {
        if (begin > known) {
          keep(begin);
        }
        if (!(types.get(id) instanceof WireType.Struct) && in.uint() != 0) {
          throw new FormatException("a value that is no struct must begin with a zero byte");
        }
        return id;
      }
      types.define(-id);
      if (in.remaining() != 0) {
        throw new FormatException("extra data after the descriptor of type " + -id);
      }
      in.widen();
    }
  }

  /** Takes what the last stream described where this one begins alike; by how many bytes. */
  private int skipKnown() throws FormatException {
    Described known = last;
    if (!known.beginsIn(in.array())) {
      return 0;
    }
    in.skip(known.bytes().length);
    types.take(known.types());
    return known.bytes().length;
  }

  /** Names that are not UTF-8 are to be told by each reader. */
  private void keep(int bytes) {
    if (bytes <= MAX_KEPT_BYTES && !in.malformedText()) {
      last = new Described(Arrays.copyOf(in.array(), bytes), types.described());
    }
  }

  private void nextMessage() throws FormatException {
    in.widen();
    in.narrow(in.count(1));
    end = in.limit();
  }

  /**
   * Leaves the value: it must have been read to its end.
   *
   * @return how many bytes follow the value in the stream; Go ignores them
   */
  public int close() throws FormatException {
    if (in.position() != end) {
      throw new FormatException(
          "the value ends at offset " + in.position() + ", its message at offset " + end);
    }
    return in.array().length - end;
  }

  /** Whether a string read so far held bytes that are not UTF-8 and was altered by decoding. */
  public boolean malformedText() {
    return in.malformedText();
  }

  /** Enters a struct. */
  public Fields structure(int typeId) throws FormatException {
    return new Fields(require(typeId, WireType.Struct.class));
  }

  public String string(int typeId) throws FormatException {
    require(typeId, WireType.Basic.STRING);
    return in.string();
  }

  /** The raw bytes of the string that starts here, without moving past it. */
  public byte[] peekStringBytes(int typeId) throws FormatException {
    require(typeId, WireType.Basic.STRING);
    return in.peekStringBytes();
  }

  /** Reads a map of strings to strings, unmodifiable; of a repeated key the last value stays. */
  public Map<String, String> stringMap(int typeId) throws FormatException {
    WireType.MapOf map = entriesOf(typeId);
    require(map.valueTypeId(), WireType.Basic.STRING);
    int count = in.count(2);
    Map<String, String> result = HashMap.newHashMap(count);
    for (int i = 0; i < count; i++) {
      String key = in.string();
      result.put(key, in.string());
    }
    return StringMaps.copyOf(result);
  }

  /** Enters a map with string keys; the caller reads {@code count} times a key and a value. */
  public Entries entries(int typeId) throws FormatException {
    WireType.MapOf map = entriesOf(typeId);
    return new Entries(in.count(2), map.valueTypeId());
  }

  /** A map that was entered: its number of entries and the type id of its values. */
  public record Entries(int count, int valueTypeId) {}

  /** Reads the key of the next entry of a map entered with {@link #entries}. */
  public String key() throws FormatException {
    return in.string();
  }

  /** Reads a slice or array of floats as float32. */
  public float[] floats(int typeId) throws FormatException {
    WireType type = types.get(typeId);
    int element =
        switch (type) {
          case WireType.Slice slice -> slice.elementTypeId();
          case WireType.Array array -> array.elementTypeId();
          case WireType.Basic _, WireType.Struct _, WireType.MapOf _, WireType.Opaque _ ->
              throw new FormatException("expected floats, found " + type);
        };
    require(element, WireType.Basic.FLOAT);
    int count = in.count(1);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.float32();
    }
    return values;
  }

  /** Reads past a value of any type. */
  public void skip(int typeId) throws FormatException {
    skip(typeId, 0);
  }

  /** The fields of a struct that are present, in order. */
  public final class Fields {
    private final WireType.Struct type;
    private int index = -1;

    private Fields(WireType.Struct type) {
      this.type = type;
    }

    /** Moves to the next present field; null at the end of the struct. */
    public WireType.@Nullable Field next() throws FormatException {
      long delta = in.uint();
      if (delta == 0) {
        return null;
      }
      if (delta < 0 || delta > type.fields().size() - 1 - index) {
        throw new FormatException(
            "field " + (index + delta) + " of struct " + type.name() + " does not exist");
      }
      index += (int) delta;
      return type.fields().get(index);
    }
  }

  private void skip(int typeId, int depth) throws FormatException {
    if (depth > MAX_DEPTH) {
      throw new FormatException("values nest deeper than " + MAX_DEPTH);
    }
    switch (types.get(typeId)) {
      case WireType.Basic basic -> skipBasic(basic);
      case WireType.Opaque _ -> in.skip(in.uint());
      case WireType.Slice slice -> skipElements(slice.elementTypeId(), in.count(1), depth);
      case WireType.Array array -> skipElements(array.elementTypeId(), in.count(1), depth);
      case WireType.MapOf map -> {
        int count = in.count(2);
        for (int i = 0; i < count; i++) {
          skip(map.keyTypeId(), depth + 1);
          skip(map.valueTypeId(), depth + 1);
        }
      }
      case WireType.Struct struct -> {
        Fields fields = new Fields(struct);
        for (var field = fields.next(); field != null; field = fields.next()) {
          skip(field.typeId(), depth + 1);
        }
      }
    }
  }

  private void skipElements(int typeId, int count, int depth) throws FormatException {
    for (int i = 0; i < count; i++) {
      skip(typeId, depth + 1);
    }
  }

  private void skipBasic(WireType.Basic basic) throws FormatException {
    switch (basic) {
      case BOOL, INT, UINT, FLOAT -> in.uint();
      case BYTES, STRING -> in.skip(in.uint());
      case COMPLEX -> {
        in.uint();
        in.uint();
      }
      case INTERFACE -> skipInterface();
    }
  }

  /**
   * An interface is the name of its concrete type (none where nil), the type's id, a count of bytes
   * and the value. Go describes a type it has not described yet in place of the id, and what
   * follows the descriptor then begins a new message, or a count.
   */
  private void skipInterface() throws FormatException {
    long nameLength = in.uint();
    in.skip(nameLength);
    if (nameLength == 0) {
      return;
    }
    for (int id = in.typeId(); id < 0; id = in.typeId()) {
      types.define(-id);
      if (in.remaining() == 0) {
        nextMessage();
      } else {
        in.uint();
      }
    }
    in.skip(in.uint());
  }

  private WireType.MapOf entriesOf(int typeId) throws FormatException {
    WireType.MapOf map = require(typeId, WireType.MapOf.class);
    require(map.keyTypeId(), WireType.Basic.STRING);
    return map;
  }

  private <T extends WireType> T require(int typeId, Class<T> shape) throws FormatException {
    WireType found = types.get(typeId);
    if (!shape.isInstance(found)) {
      throw new FormatException("expected a " + shape.getSimpleName() + ", found " + found);
    }
    return shape.cast(found);
  }

  private void require(int typeId, WireType.Basic expected) throws FormatException {
    WireType found = types.get(typeId);
    if (found != expected) {
      throw new FormatException("expected " + expected + ", found " + found);
    }
  }
}
