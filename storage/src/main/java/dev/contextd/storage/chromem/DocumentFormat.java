package dev.contextd.storage.chromem;

import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.gob.GobReader;
import dev.contextd.storage.gob.GobWriter;
import dev.contextd.storage.gob.WireType;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The format of a document's file: one gob value, plain or gzip.
 *
 * <pre>
 * struct Document
 *   ID         string             never absent
 *   Metadata   map[string]string  absent where the document has none
 *   Embedding  []float32          absent where the document has none; each a float64 on the wire
 *   Content    string             absent where empty
 * </pre>
 *
 * <p>Fields are found by name; unknown ones are skipped. Source: chromem-go v0.7.0, {@code
 * document.go}.
 */
public final class DocumentFormat {
  static final int STRUCT_ID = 65;
  static final int MAP_ID = 66;
  static final int SLICE_ID = 67;

  /** gob's numbers for the types it knows without a descriptor. */
  static final int FLOAT_ID = 4;

  static final int STRING_ID = 6;

  private static final byte[] DESCRIPTORS = describe(new GobWriter()).toByteArray();

  /** Documents are encoded by the hundred thousand, each into what the one before left. */
  private static final ThreadLocal<GobWriter> SCRATCH = ThreadLocal.withInitial(GobWriter::new);

  /** What a thread keeps between two documents. */
  private static final int MAX_SCRATCH_BYTES = 64 << 10;

  private static final float[] NO_VECTOR = {};

  private DocumentFormat() {}

  /**
   * Reads the bytes of a document file.
   *
   * @throws FormatException where they are not a document
   */
  public static Decoded<StoredDocument> decode(byte[] file) throws FormatException {
    GobReader reader = new GobReader(Compression.inflate(file));
    byte[][] idBytes = new byte[1][];
    StoredDocument document = read(reader, reader.open(), raw -> idBytes[0] = raw);
    int trailing = reader.close();
    return new Decoded<>(document, Names.hash(idBytes[0]), !reader.malformedText(), trailing);
  }

  /** The bytes of a document file that chromem-go reads with the same content. */
  public static byte[] encode(StoredDocument document, Compression compression) {
    GobWriter value = write(SCRATCH.get().clear(), document);
    if (value.capacity() > MAX_SCRATCH_BYTES) {
      SCRATCH.remove();
    }
    return compression.compress(GobWriter.fileOf(DESCRIPTORS, STRUCT_ID, value));
  }

  static GobWriter describe(GobWriter out) {
    return out.describeStruct(
            STRUCT_ID,
            "Document",
            List.of(
                new WireType.Field("ID", STRING_ID),
                new WireType.Field("Metadata", MAP_ID),
                new WireType.Field("Embedding", SLICE_ID),
                new WireType.Field("Content", STRING_ID)))
        .describeMap(MAP_ID, "map[string]string", STRING_ID, STRING_ID)
        .describeSlice(SLICE_ID, "[]float32", FLOAT_ID);
  }

  static GobWriter write(GobWriter out, StoredDocument document) {
    out.uint(1).string(document.id());
    int last = 1;
    if (document.metadata() != null) {
      out.uint(2 - last).stringMap(document.metadata());
      last = 2;
    }
    if (document.embedding().length > 0) {
      out.uint(3 - last).floats(document.embedding());
      last = 3;
    }
    if (!document.content().isEmpty()) {
      out.uint(4 - last).string(document.content());
    }
    return out.uint(0);
  }

  /** Reads a document in an export, where no file name is to be proven. */
  static StoredDocument read(GobReader reader, int typeId) throws FormatException {
    return read(reader, typeId, null);
  }

  /**
   * @param rawId takes the bytes of the id as they stand; null where nobody asks for them
   */
  private static StoredDocument read(GobReader reader, int typeId, @Nullable Consumer<byte[]> rawId)
      throws FormatException {
    String id = "";
    @Nullable Map<String, String> metadata = null;
    float[] embedding = NO_VECTOR;
    String content = "";
    GobReader.Fields fields = reader.structure(typeId);
    for (var field = fields.next(); field != null; field = fields.next()) {
      switch (field.name()) {
        case "ID" -> {
          if (rawId != null) {
            rawId.accept(reader.peekStringBytes(field.typeId()));
          }
          id = reader.string(field.typeId());
        }
        case "Metadata" -> metadata = reader.stringMap(field.typeId());
        case "Embedding" -> embedding = reader.floats(field.typeId());
        case "Content" -> content = reader.string(field.typeId());
        default -> reader.skip(field.typeId());
      }
    }
    if (id.isEmpty()) {
      throw new FormatException("the document has no id");
    }
    return new StoredDocument(id, metadata, embedding, content);
  }
}
