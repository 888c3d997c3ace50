package dev.contextd.server.http;

import dev.contextd.engine.VectorStore;
import dev.contextd.engine.VectorStore.ExportOptions;
import dev.contextd.engine.VectorStore.Imported;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.Optional;

/**
 * A whole store as one chromem-go export file, and back; reached through {@link AdminRoutes}.
 *
 * <p>The bytes travel, not paths: a caller must not have the daemon read or write files for it.
 */
final class TransferRoutes {
  /** An export is held in memory whole, its documents beside it. */
  private static final int HEAP_SHARE = 8;

  private static final String KEY = "X-Export-Key";
  private static final String BYTES = "application/octet-stream";

  private final VectorStore store;

  TransferRoutes(VectorStore store) {
    this.store = store;
  }

  void exported(Context call) {
    boolean isZipped = "true".equals(call.queryParam("gzip"));
    call.contentType(BYTES).result(store.export(new ExportOptions(isZipped, key(call))));
  }

  void imported(Context call) throws IOException {
    long most = Math.min(Runtime.getRuntime().maxMemory() / HEAP_SHARE, Integer.MAX_VALUE - 8);
    byte[] content;
    try (InputStream body = call.bodyInputStream()) {
      content = body.readNBytes((int) most + 1);
    }
    if (content.length > most) {
      throw new ProblemException(
          ProblemCode.LENGTH_LIMIT,
          "an import holds at most %d bytes in this heap; give Java more with -Xmx"
              .formatted(most));
    }
    Imported done = store.importFrom(content, key(call));
    call.json(new Messages.ImportedOut(done.collections(), done.documents(), done.refused()));
  }

  /** The key comes as base64 in a header, so that it stands in no log of paths. */
  private static Optional<byte[]> key(Context call) {
    String text = call.header(KEY);
    if (text == null || text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Base64.getDecoder().decode(text.strip()));
    } catch (IllegalArgumentException e) {
      throw new ProblemException(ProblemCode.INVALID_ARGUMENT, KEY + " is no base64");
    }
  }
}
