package dev.contextd.storage.gob;

import java.util.List;

/**
 * A type as a gob stream describes it.
 *
 * <p>Source: the documentation of Go's package {@code encoding/gob}, section "Encoding Details".
 */
public sealed interface WireType {

  /** A type every gob stream knows without a descriptor. */
  enum Basic implements WireType {
    BOOL,
    INT,
    UINT,
    FLOAT,
    BYTES,
    STRING,
    COMPLEX,
    INTERFACE
  }

  /** A struct: fields by name, each with a type id; absent fields are zero. */
  record Struct(String name, List<Field> fields) implements WireType {
    public Struct {
      fields = List.copyOf(fields);
    }
  }

  /** A field of a struct. */
  record Field(String name, int typeId) {}

  /** A slice: a count, then the elements. */
  record Slice(int elementTypeId) implements WireType {}

  /** An array: like a slice, with the count fixed by the type. */
  record Array(int elementTypeId, long length) implements WireType {}

  /** A map: a count, then key and value alternating. */
  record MapOf(int keyTypeId, int valueTypeId) implements WireType {}

  /** A type that encodes itself ({@code GobEncoder} and its kin): a count, then opaque bytes. */
  record Opaque() implements WireType {}
}
