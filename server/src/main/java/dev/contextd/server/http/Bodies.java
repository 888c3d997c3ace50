package dev.contextd.server.http;

import io.javalin.http.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Request bodies: JSON, each of at most 32 MiB, and all that are read at the same time within a
 * share of the heap, so that no number of callers can exhaust it.
 */
final class Bodies {
  /** The largest body, in bytes. */
  static final int MAX_BYTES = 32 << 20;

  private static final int UNIT_BYTES = 1 << 10;
  private static final int WAIT_SECONDS = 30;

  /** A body costs several times its size while it is parsed. */
  private static final int HEAP_SHARE = 16;

  private static final Pattern JSON_TYPE =
      Pattern.compile(
          "\\s*application/json\\s*(;\\s*charset\\s*=\\s*\"?utf-8\"?\\s*)?",
          Pattern.CASE_INSENSITIVE);

  private final Semaphore units;

  Bodies() {
    // One largest body fits always, or it would wait for memory that never comes.
    long share = Math.max(Runtime.getRuntime().maxMemory() / HEAP_SHARE, MAX_BYTES + UNIT_BYTES);
    this.units = new Semaphore((int) Math.min(share / UNIT_BYTES, Integer.MAX_VALUE), true);
  }

  /** What is done with a body while its memory is reserved. */
  @FunctionalInterface
  interface Use<T> {
    void with(T body);
  }

  <T> void read(Context call, Class<T> type, Use<T> use) {
    requireJson(call);
    long declared = call.req().getContentLengthLong();
    if (declared > MAX_BYTES) {
      throw tooLarge();
    }
    int reserved = (int) ((declared < 0 ? MAX_BYTES : declared) / UNIT_BYTES + 1);
    reserve(reserved);
    try {
      use.with(Json.read(bytes(call), type));
    } finally {
      units.release(reserved);
    }
  }

  private void reserve(int wanted) {
    try {
      if (!units.tryAcquire(wanted, WAIT_SECONDS, TimeUnit.SECONDS)) {
        throw new ProblemException(
            ProblemCode.BUSY, "other large calls hold the memory for bodies");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProblemException(ProblemCode.SHUTTING_DOWN, "the daemon is shutting down");
    }
  }

  private static byte[] bytes(Context call) {
    try (InputStream in = call.req().getInputStream()) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[64 << 10];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        out.write(buffer, 0, n);
        if (out.size() > MAX_BYTES) {
          throw tooLarge();
        }
      }
      return out.toByteArray();
    } catch (IOException e) {
      throw new ProblemException(
          ProblemCode.BAD_REQUEST, "the body ended early: " + e.getMessage());
    }
  }

  private static void requireJson(Context call) {
    String type = call.contentType();
    if (type == null || !JSON_TYPE.matcher(type).matches()) {
      throw new ProblemException(
          ProblemCode.UNSUPPORTED_MEDIA_TYPE,
          "expected Content-Type: application/json in UTF-8, found "
              + (type == null ? "none" : type));
    }
    String encoding = call.header("Content-Encoding");
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      throw new ProblemException(
          ProblemCode.UNSUPPORTED_MEDIA_TYPE,
          "expected a body without Content-Encoding, found " + encoding);
    }
  }

  private static ProblemException tooLarge() {
    return new ProblemException(
        ProblemCode.LENGTH_LIMIT, "the body is larger than " + MAX_BYTES + " bytes");
  }
}
