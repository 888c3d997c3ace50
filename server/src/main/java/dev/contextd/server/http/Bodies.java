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
 *
 * <p>Small bodies, and the beginnings of large ones, have memory of their own: so a query waits for
 * no upload, and a caller who declares much and sends little holds little.
 */
final class Bodies {
  /** The largest body, in bytes. */
  static final int MAX_BYTES = 32 << 20;

  /** So much is read before memory for the whole body is reserved. */
  private static final int SMALL_BYTES = 64 << 10;

  private static final int MIN_SMALL_BODIES = 64;
  private static final int UNIT_BYTES = 1 << 10;
  private static final int BUFFER_BYTES = 8 << 10;
  private static final int WAIT_SECONDS = 30;

  /** A body that takes longer holds memory for which others wait. */
  private static final int RECEIVE_SECONDS = 60;

  /** A body costs several times its size while it is parsed. */
  private static final int HEAP_SHARE = 16;

  private static final Pattern JSON_TYPE =
      Pattern.compile(
          "\\s*application/json\\s*(;\\s*charset\\s*=\\s*\"?utf-8\"?\\s*)?",
          Pattern.CASE_INSENSITIVE);

  private final Semaphore smallBodies;
  private final Semaphore largeUnits;

  Bodies() {
    long share = Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    // One largest body fits always, or it would wait for memory that never comes.
    this.largeUnits = permits(Math.max(share, MAX_BYTES + UNIT_BYTES) / UNIT_BYTES);
    this.smallBodies = permits(Math.max(share / SMALL_BYTES, MIN_SMALL_BODIES));
  }

  private static Semaphore permits(long count) {
    return new Semaphore((int) Math.min(count, Integer.MAX_VALUE), true);
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
    Incoming body = new Incoming(call);
    reserve(smallBodies, 1);
    try {
      if (body.endsWithin(SMALL_BYTES)) {
        use.with(Json.read(body.take(), type));
        return;
      }
    } finally {
      smallBodies.release();
    }
    int units = (int) ((declared < 0 ? MAX_BYTES : declared) / UNIT_BYTES + 1);
    reserve(largeUnits, units);
    try {
      if (!body.endsWithin(MAX_BYTES)) {
        throw tooLarge();
      }
      use.with(Json.read(body.take(), type));
    } finally {
      largeUnits.release(units);
    }
  }

  private static void reserve(Semaphore memory, int wanted) {
    try {
      if (!memory.tryAcquire(wanted, WAIT_SECONDS, TimeUnit.SECONDS)) {
        throw new ProblemException(ProblemCode.BUSY, "other calls hold the memory for bodies");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProblemException(ProblemCode.SHUTTING_DOWN, "the daemon is shutting down");
    }
  }

  /** A body as it arrives. */
  private static final class Incoming {
    private final InputStream in;
    private ByteArrayOutputStream received = new ByteArrayOutputStream();
    private final long begin = System.nanoTime();

    Incoming(Context call) {
      try {
        this.in = call.req().getInputStream();
      } catch (IOException e) {
        throw endedEarly(e);
      }
    }

    /** Reads on, to the end of the body or past the limit; true where it ended. */
    boolean endsWithin(int limit) {
      byte[] buffer = new byte[BUFFER_BYTES];
      try {
        while (received.size() <= limit) {
          int n = in.read(buffer);
          if (n < 0) {
            return true;
          }
          received.write(buffer, 0, n);
          if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(RECEIVE_SECONDS)) {
            throw new ProblemException(
                ProblemCode.BODY_TOO_SLOW,
                "the body took longer than " + RECEIVE_SECONDS + " seconds to arrive");
          }
        }
        return false;
      } catch (IOException e) {
        throw endedEarly(e);
      }
    }

    /** All that was received, which is then no longer held here. */
    byte[] take() {
      byte[] all = received.toByteArray();
      received = new ByteArrayOutputStream(0);
      return all;
    }

    private static ProblemException endedEarly(IOException e) {
      return new ProblemException(
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
