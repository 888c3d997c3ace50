package dev.contextd.storage.chromem;

import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.gob.GobReader;
import dev.contextd.storage.gob.GobWriter;
import dev.contextd.storage.gob.WireType;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The format of a whole database in one file, as chromem-go's {@code ExportToFile} writes it: a gob
 * value, then optionally gzip, then optionally AES-256-GCM.
 *
 * <pre>
 * struct (no name)
 *   Collections  map[string]*struct
 *     Name       string
 *     Metadata   map[string]string
 *     Documents  map[string]*Document       as in {@link DocumentFormat}
 *
 * encrypted: 12 bytes nonce, ciphertext, 16 bytes tag; the key has 32 bytes
 * </pre>
 *
 * <p>A file is held in memory whole: at most 2 GiB. Source: chromem-go v0.7.0, {@code db.go} and
 * {@code persistence.go}.
 */
public final class ExportFormat {
  /** The length of an encryption key, in bytes. */
  public static final int KEY_BYTES = Encryption.KEY_BYTES;

  private static final int ROOT_ID = 70;
  private static final int COLLECTIONS_ID = 71;
  private static final int COLLECTION_ID = 72;
  private static final int DOCUMENTS_ID = 73;

  private ExportFormat() {}

  /**
   * A collection with its documents.
   *
   * @param documents in the order of the file, each id once
   */
  public record ExportedCollection(StoredCollection collection, List<StoredDocument> documents) {
    public ExportedCollection {
      documents = List.copyOf(documents);
    }
  }

  /**
   * Reads an export file.
   *
   * @param key {@value #KEY_BYTES} bytes for an encrypted file, null for a plain one
   * @throws FormatException where the bytes are no export, or the key is not theirs
   */
  public static List<ExportedCollection> decode(byte[] file, byte @Nullable [] key)
      throws FormatException {
    GobReader reader =
        new GobReader(Compression.inflate(key == null ? file : Encryption.decrypt(file, key)));
    List<ExportedCollection> collections = new ArrayList<>();
    boolean isExport = false;
    GobReader.Fields fields = reader.structure(reader.open());
    for (var field = fields.next(); field != null; field = fields.next()) {
      if (field.name().equals("Collections")) {
        isExport = true;
        GobReader.Entries entries = reader.entries(field.typeId());
        for (int i = 0; i < entries.count(); i++) {
          reader.key();
          collections.add(readCollection(reader, entries.valueTypeId()));
        }
      } else {
        reader.skip(field.typeId());
      }
    }
    reader.close();
    if (!isExport) {
      throw new FormatException("the file holds no collections: it is not an export");
    }
    return collections;
  }

  /**
   * The bytes of an export file.
   *
   * @param key {@value #KEY_BYTES} bytes to encrypt with, null to leave it readable
   */
  public static byte[] encode(
      List<ExportedCollection> collections,
      Compression compression,
      byte @Nullable [] key,
      SecureRandom random) {
    GobWriter value = new GobWriter().uint(1).uint(collections.size());
    for (ExportedCollection exported : collections) {
      value.string(exported.collection().name());
      writeCollection(value, exported);
    }
    GobWriter file = describe(new GobWriter()).message(ROOT_ID, value.uint(0));
    byte[] plain = compression.compress(file.toByteArray());
    return key == null ? plain : Encryption.encrypt(plain, key, random);
  }

  private static ExportedCollection readCollection(GobReader reader, int typeId)
      throws FormatException {
    String name = "";
    @Nullable Map<String, String> metadata = null;
    List<StoredDocument> documents = new ArrayList<>();
    GobReader.Fields fields = reader.structure(typeId);
    for (var field = fields.next(); field != null; field = fields.next()) {
      switch (field.name()) {
        case "Name" -> name = reader.string(field.typeId());
        case "Metadata" -> metadata = reader.stringMap(field.typeId());
        case "Documents" -> {
          GobReader.Entries entries = reader.entries(field.typeId());
          for (int i = 0; i < entries.count(); i++) {
            reader.key();
            documents.add(DocumentFormat.read(reader, entries.valueTypeId()));
          }
        }
        default -> reader.skip(field.typeId());
      }
    }
    if (name.isEmpty()) {
      throw new FormatException("a collection in the export has no name");
    }
    return new ExportedCollection(new StoredCollection(name, metadata), documents);
  }

  private static void writeCollection(GobWriter out, ExportedCollection exported) {
    out.uint(1).string(exported.collection().name());
    int last = 1;
    if (exported.collection().metadata() != null) {
      out.uint(1).stringMap(exported.collection().metadata());
      last = 2;
    }
    out.uint(3 - last).uint(exported.documents().size());
    for (StoredDocument document : exported.documents()) {
      DocumentFormat.write(out.string(document.id()), document);
    }
    out.uint(0);
  }

  private static GobWriter describe(GobWriter out) {
    out.describeStruct(ROOT_ID, "", List.of(new WireType.Field("Collections", COLLECTIONS_ID)))
        .describeMap(COLLECTIONS_ID, "", DocumentFormat.STRING_ID, COLLECTION_ID)
        .describeStruct(
            COLLECTION_ID,
            "persistenceCollection",
            List.of(
                new WireType.Field("Name", DocumentFormat.STRING_ID),
                new WireType.Field("Metadata", DocumentFormat.MAP_ID),
                new WireType.Field("Documents", DOCUMENTS_ID)))
        .describeMap(DOCUMENTS_ID, "", DocumentFormat.STRING_ID, DocumentFormat.STRUCT_ID);
    return DocumentFormat.describe(out);
  }
}
