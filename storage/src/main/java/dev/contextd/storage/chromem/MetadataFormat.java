package dev.contextd.storage.chromem;

import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.gob.GobReader;
import dev.contextd.storage.gob.GobWriter;
import dev.contextd.storage.gob.WireType;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The format of a collection's metadata file {@code 00000000.gob}: one gob value, plain or gzip.
 *
 * <pre>
 * struct (no name)
 *   Name      string             never absent
 *   Metadata  map[string]string  absent where nil; present with a count of 0 where empty
 * </pre>
 *
 * <p>Source: chromem-go v0.7.0, {@code collection.go}.
 */
public final class MetadataFormat {
  private static final int STRUCT_ID = 65;
  private static final int MAP_ID = 66;
  private static final byte[] DESCRIPTORS =
      new GobWriter()
          .describeStruct(
              STRUCT_ID,
              "",
              List.of(
                  new WireType.Field("Name", DocumentFormat.STRING_ID),
                  new WireType.Field("Metadata", MAP_ID)))
          .describeMap(
              MAP_ID, "map[string]string", DocumentFormat.STRING_ID, DocumentFormat.STRING_ID)
          .toByteArray();

  private MetadataFormat() {}

  /**
   * Reads the bytes of a metadata file.
   *
   * @throws FormatException where they are not a collection's metadata
   */
  public static Decoded<StoredCollection> decode(byte[] file) throws FormatException {
    GobReader reader = new GobReader(Compression.inflate(file));
    String name = "";
    String hash = "";
    @Nullable Map<String, String> metadata = null;
    boolean isDocument = false;
    GobReader.Fields fields = reader.structure(reader.open());
    for (var field = fields.next(); field != null; field = fields.next()) {
      switch (field.name()) {
        case "Name" -> {
          hash = Names.hash(reader.peekStringBytes(field.typeId()));
          name = reader.string(field.typeId());
        }
        case "Metadata" -> metadata = reader.stringMap(field.typeId());
        default -> {
          isDocument |= field.name().equals("ID");
          reader.skip(field.typeId());
        }
      }
    }
    int trailing = reader.close();
    if (name.isEmpty()) {
      throw new FormatException(
          isDocument
              ? "the metadata file holds a document, not a collection's name"
              : "the metadata file holds no collection name");
    }
    return new Decoded<>(
        new StoredCollection(name, metadata), hash, !reader.malformedText(), trailing);
  }

  /** The bytes of a metadata file that chromem-go reads with the same content. */
  public static byte[] encode(StoredCollection collection, Compression compression) {
    GobWriter value = new GobWriter().uint(1).string(collection.name());
    if (collection.metadata() != null) {
      value.uint(1).stringMap(collection.metadata());
    }
    GobWriter file = new GobWriter().raw(DESCRIPTORS).message(STRUCT_ID, value.uint(0));
    return compression.compress(file.toByteArray());
  }
}
