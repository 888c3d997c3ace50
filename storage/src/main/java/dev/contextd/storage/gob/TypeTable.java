package dev.contextd.storage.gob;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The types that a gob stream has described so far, by id; gob's own are known from the start.
 *
 * <p>Invariant: a type is described once, and never under an id of gob's own.
 */
final class TypeTable {
  private static final int FIRST_USER_ID = 64;

  private final GobBytes in;
  private Map<Integer, WireType> types = Map.of();
  private boolean isOurs;

  TypeTable(GobBytes in) {
    this.in = in;
  }

  /**
   * @throws FormatException where the stream has not described the type
   */
  WireType get(int id) throws FormatException {
    WireType type =
        switch (id) {
          case 1 -> WireType.Basic.BOOL;
          case 2 -> WireType.Basic.INT;
          case 3 -> WireType.Basic.UINT;
          case 4 -> WireType.Basic.FLOAT;
          case 5 -> WireType.Basic.BYTES;
          case 6 -> WireType.Basic.STRING;
          case 7 -> WireType.Basic.COMPLEX;
          case 8 -> WireType.Basic.INTERFACE;
          default -> types.get(id);
        };
    if (type == null) {
      throw new FormatException("type " + id + " was never described");
    }
    return type;
  }

  /** All that were described, unmodifiable. */
  Map<Integer, WireType> described() {
    return Map.copyOf(types);
  }

  /** Takes types that were described by the same bytes before; nothing was described yet. */
  void take(Map<Integer, WireType> known) {
    types = known;
  }

  /** Reads the descriptor that begins at the stream's position. */
  void define(int id) throws FormatException {
    if (id < FIRST_USER_ID) {
      throw new FormatException("type id " + id + " is reserved");
    }
    WireType type = wireType();
    if (!isOurs) {
      types = new HashMap<>(types);
      isOurs = true;
    }
    if (types.put(id, type) != null) {
      throw new FormatException("type " + id + " is described twice");
    }
  }

  /**
   * A descriptor is itself a struct of pointers, of which one is set: 1 ArrayT, 2 SliceT, 3
   * StructT, 4 MapT, 5 GobEncoderT, 6 BinaryMarshalerT, 7 TextMarshalerT. Each begins with field 1,
   * CommonType {1 Name string, 2 Id int}.
   */
  private WireType wireType() throws FormatException {
    WireType type =
        switch (Math.clamp(in.uint(), 0, Integer.MAX_VALUE)) {
          case 1 -> {
            long[] numbers = numbersAfterCommon(2);
            yield new WireType.Array(id(numbers[0]), numbers[1]);
          }
          case 2 -> new WireType.Slice(id(numbersAfterCommon(1)[0]));
          case 3 -> structType();
          case 4 -> {
            long[] numbers = numbersAfterCommon(2);
            yield new WireType.MapOf(id(numbers[0]), id(numbers[1]));
          }
          case 5, 6, 7 -> {
            numbersAfterCommon(0);
            yield new WireType.Opaque();
          }
          default -> throw new FormatException("unknown kind of type descriptor");
        };
    if (in.uint() != 0) {
      throw new FormatException("a type descriptor sets more than one kind");
    }
    return type;
  }

  private static int id(long value) throws FormatException {
    if (value <= 0 || value > Integer.MAX_VALUE) {
      throw new FormatException("type id " + value + " is out of range");
    }
    return (int) value;
  }

  /** Reads {CommonType, int, int, ...} with up to {@code expected} integers, absent ones zero. */
  private long[] numbersAfterCommon(int expected) throws FormatException {
    long[] numbers = new long[expected];
    int field = 0;
    for (long delta = in.uint(); delta != 0; delta = in.uint()) {
      field = advance(field, delta, expected + 1);
      if (field == 1) {
        commonName();
      } else {
        numbers[field - 2] = in.sint();
      }
    }
    return numbers;
  }

  private WireType.Struct structType() throws FormatException {
    String name = "";
    List<WireType.Field> fields = List.of();
    int field = 0;
    for (long delta = in.uint(); delta != 0; delta = in.uint()) {
      field = advance(field, delta, 2);
      if (field == 1) {
        name = commonName();
      } else {
        fields = fieldTypes();
      }
    }
    return new WireType.Struct(name, fields);
  }

  private List<WireType.Field> fieldTypes() throws FormatException {
    int count = in.count(1);
    List<WireType.Field> fields = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String name = "";
      int typeId = 0;
      int field = 0;
      for (long delta = in.uint(); delta != 0; delta = in.uint()) {
        field = advance(field, delta, 2);
        if (field == 1) {
          name = in.string();
        } else {
          typeId = id(in.sint());
        }
      }
      fields.add(new WireType.Field(name, typeId));
    }
    return fields;
  }

  private String commonName() throws FormatException {
    String name = "";
    int field = 0;
    for (long delta = in.uint(); delta != 0; delta = in.uint()) {
      field = advance(field, delta, 2);
      if (field == 1) {
        name = in.string();
      } else {
        in.sint();
      }
    }
    return name;
  }

  private static int advance(int field, long delta, int last) throws FormatException {
    if (delta < 0 || delta > last - field) {
      throw new FormatException("a type descriptor has an unknown field");
    }
    return field + (int) delta;
  }
}
