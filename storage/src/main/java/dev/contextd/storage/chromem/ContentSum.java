package dev.contextd.storage.chromem;

import dev.contextd.storage.gob.StringMaps;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;

/**
 * The checksum of what files say, whatever order their writer put it in: the same for a document
 * here, in a backup, and after a Go program wrote it again.
 *
 * <p>SHA-256 over the fields in order, each text as its length in bytes of UTF-8 (32 bits, little
 * endian) and those bytes, each map as its size and its pairs in order of keys, each vector as its
 * dimension and its floats (little endian), absent metadata as empty ones: of a document the id,
 * the content, the metadata, the embedding; of a collection's metadata the name and the map; of
 * several documents the checksums of each in order of ids.
 */
public final class ContentSum {
  private static final int INT_BYTES = 4;

  private final MessageDigest digest = Names.sha256();
  private ByteBuffer buffer = allocate(1 << 12);

  private ContentSum() {}

  /** The checksum of a document, 64 hexadecimal digits. */
  public static String of(StoredDocument document) {
    return HexFormat.of().formatHex(new ContentSum().document(document));
  }

  /**
   * The checksum of documents, 64 hexadecimal digits.
   *
   * @param documents in order of ids
   */
  public static String of(Iterable<StoredDocument> documents) {
    MessageDigest all = Names.sha256();
    ContentSum sum = new ContentSum();
    documents.forEach(document -> all.update(sum.document(document)));
    return HexFormat.of().formatHex(all.digest());
  }

  /** The checksum of a collection's metadata, 64 hexadecimal digits. */
  public static String of(StoredCollection collection) {
    ContentSum sum = new ContentSum();
    sum.text(collection.name());
    sum.map(collection.metadataOrEmpty());
    return HexFormat.of().formatHex(sum.digest.digest());
  }

  private byte[] document(StoredDocument document) {
    text(document.id());
    text(document.content());
    map(document.metadataOrEmpty());
    float[] embedding = document.embedding();
    int bytes = INT_BYTES * embedding.length;
    number(embedding.length);
    if (buffer.capacity() < bytes) {
      buffer = allocate(bytes);
    }
    buffer.clear().asFloatBuffer().put(embedding);
    digest.update(buffer.limit(bytes));
    return digest.digest();
  }

  private void map(Map<String, String> map) {
    number(map.size());
    StringMaps.inOrder(
        map,
        (key, value) -> {
          text(key);
          text(value);
        });
  }

  private void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length);
    digest.update(utf8);
  }

  private void number(int number) {
    digest.update(buffer.clear().putInt(number).flip());
  }

  private static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
