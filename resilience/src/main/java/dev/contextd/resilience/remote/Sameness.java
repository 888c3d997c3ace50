package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.engine.search.Vectors;
import dev.contextd.storage.chromem.ContentSum;
import dev.contextd.storage.chromem.StoredDocument;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Whether a document here and one elsewhere are the same: to the letter in text and metadata, and
 * in the direction of the vector, of which a remote store may keep no length.
 */
final class Sameness {
  private static final double TOLERANCE = 1e-5;
  private static final float[] NO_VECTOR = new float[0];

  private Sameness() {}

  /**
   * Whether a document is not there as it is here.
   *
   * @param there null where it is missing
   */
  static boolean differs(Document here, @Nullable Document there) {
    return there == null || !isSame(here, there);
  }

  private static boolean isSame(Document here, Document there) {
    return here.content().equals(there.content())
        && here.metadata().equals(there.metadata())
        && isSameDirection(here.embedding(), there.embedding());
  }

  private static boolean isSameDirection(float[] a, float[] b) {
    if (a.length != b.length) {
      return false;
    }
    double normA = Vectors.norm(a);
    double normB = Vectors.norm(b);
    for (int i = 0; i < a.length; i++) {
      if (!(Math.abs(a[i] / normA - b[i] / normB) <= TOLERANCE)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The checksum of a document's id, content and metadata.
   *
   * @return 32 bytes
   */
  static byte[] sum(Document document) {
    return HexFormat.of()
        .parseHex(
            ContentSum.of(
                new StoredDocument(
                    document.id(), document.metadata(), NO_VECTOR, document.content())));
  }
}
