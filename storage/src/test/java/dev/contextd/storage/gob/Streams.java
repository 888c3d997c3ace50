package dev.contextd.storage.gob;

import dev.contextd.storage.gob.WireType.Field;
import java.util.List;

/** Builds gob streams as other programs might write them, descriptors and all. */
public final class Streams {
  public static final int BOOL = 1;
  public static final int INT = 2;
  public static final int UINT = 3;
  public static final int FLOAT = 4;
  public static final int BYTES = 5;
  public static final int STRING = 6;
  public static final int COMPLEX = 7;
  public static final int INTERFACE = 8;

  private Streams() {}

  public static GobWriter struct(GobWriter out, int id, Field... fields) {
    return out.describeStruct(id, "T" + id, List.of(fields));
  }

  public static GobWriter array(GobWriter out, int id, int element, long length) {
    GobWriter body = new GobWriter().uint(1).uint(1).uint(2).sint(id).uint(0);
    return out.message(-id, body.uint(1).sint(element).uint(1).sint(length).uint(0).uint(0));
  }

  /** A type that encodes itself: kind 5 is GobEncoder, 6 and 7 its kin. */
  public static GobWriter opaque(GobWriter out, int kind, int id) {
    return out.message(
        -id, new GobWriter().uint(kind).uint(1).uint(2).sint(id).uint(0).uint(0).uint(0));
  }

  /** A struct's value with one field, the {@code index}th. */
  public static GobWriter value(int index, GobWriter field) {
    return new GobWriter().uint(index).raw(field).uint(0);
  }

  public static GobWriter uints(long... values) {
    GobWriter out = new GobWriter();
    for (long value : values) {
      out.uint(value);
    }
    return out;
  }
}
