package dev.contextd.server.http;

import io.javalin.http.Context;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.EndPoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A body that was refused before it had come. Most clients send all of it before they read; a
 * connection that is closed under them is a broken one to them, and the answer is never seen.
 *
 * <p>Invariant: what comes is thrown away, and no more of it is taken than the bounds below say.
 */
final class LateBody {
  private static final Logger log = LoggerFactory.getLogger(LateBody.class);
  private static final int MAX_BYTES = 256 << 20;
  private static final int MAX_SECONDS = 30;

  /** A client that sends nothing for so long is reading, or has gone. */
  private static final int SILENCE_MILLISECONDS = 2_000;

  private static final int BUFFER_BYTES = 64 << 10;

  /** What is smaller has come with the head of the call, or nearly so. */
  private static final int SMALL_BYTES = 64 << 10;

  private LateBody() {}

  /** Whether much of a call's body may still be on its way. */
  static boolean isComing(Context call) {
    boolean isLarge =
        call.req().getContentLengthLong() > SMALL_BYTES || call.header("Transfer-Encoding") != null;
    try {
      return isLarge && !call.req().getInputStream().isFinished();
    } catch (IOException e) {
      return false;
    }
  }

  /** Answers with a problem, the last answer on this connection, and takes what still comes. */
  static void refuse(Context call, ProblemCode code, String detail) {
    byte[] problem = HttpServer.problem(code, code.status(), detail, call.path());
    call.status(code.status());
    HttpServletResponse response = call.res();
    response.setContentType(Problem.CONTENT_TYPE);
    response.setHeader("Connection", "close");
    response.setContentLength(problem.length);
    try {
      InputStream in = call.req().getInputStream();
      response.getOutputStream().write(problem);
      response.flushBuffer();
      if (call.header("Expect") == null) {
        discard(call, in);
      }
    } catch (IOException e) {
      log.debug("the caller has left: {}", e.toString());
    }
  }

  private static void discard(Context call, InputStream in) throws IOException {
    connection(call).setIdleTimeout(SILENCE_MILLISECONDS);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MAX_SECONDS);
    byte[] buffer = new byte[BUFFER_BYTES];
    int n = 0;
    for (long taken = 0; n >= 0 && taken < MAX_BYTES && System.nanoTime() < end; taken += n) {
      n = in.read(buffer);
    }
  }

  private static EndPoint connection(Context call) {
    return ServletContextRequest.getServletContextRequest(call.req())
        .getConnectionMetaData()
        .getConnection()
        .getEndPoint();
  }
}
