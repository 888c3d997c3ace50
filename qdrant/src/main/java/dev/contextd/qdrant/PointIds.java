package dev.contextd.qdrant;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.qdrant.client.grpc.Common.PointId;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * The id of a document's point. An id that is a UUID in its usual form is the point's own; any
 * other one becomes the UUIDv5 of {@code <collection>/<id>} in the name space of URLs (RFC 9562,
 * sections 5.5 and 6.6), so that a repeated write is the same point.
 */
final class PointIds {
  private static final UUID URL_SPACE = UUID.fromString("6ba7b811-9dad-11d1-80b4-00c04fd430c8");
  private static final int UUID_CHARACTERS = 36;
  private static final int UUID_BYTES = 16;

  private PointIds() {}

  static PointId of(String collection, String id) {
    return PointId.newBuilder().setUuid(uuid(collection, id)).build();
  }

  static String uuid(String collection, String id) {
    return isUuid(id) ? id : version5(collection + "/" + id).toString();
  }

  private static boolean isUuid(String id) {
    if (id.length() != UUID_CHARACTERS) {
      return false;
    }
    try {
      return UUID.fromString(id).toString().equals(id);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static UUID version5(String name) {
    try {
      MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
      sha1.update(
          ByteBuffer.allocate(UUID_BYTES)
              .putLong(URL_SPACE.getMostSignificantBits())
              .putLong(URL_SPACE.getLeastSignificantBits())
              .flip());
      ByteBuffer hash = ByteBuffer.wrap(sha1.digest(name.getBytes(UTF_8)));
      long high = (hash.getLong() & 0xFFFFFFFFFFFF0FFFL) | 0x5000L;
      long low = (hash.getLong() & 0x3FFFFFFFFFFFFFFFL) | 0x8000000000000000L;
      return new UUID(high, low);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-1", e);
    }
  }

  /** The text of a point's id, whoever chose it. */
  static String text(PointId id) {
    return id.hasUuid() ? id.getUuid() : Long.toUnsignedString(id.getNum());
  }
}
