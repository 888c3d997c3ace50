package dev.contextd.server.http;

import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.ee10.servlet.ErrorPageErrorHandler;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What Jetty itself refuses, before any route is found, as problems like all others. */
final class JettyProblems extends ErrorPageErrorHandler {
  /** What Jetty calls a request that it could not read to the end of its head. */
  private static final String UNREAD = "/badRequest";

  private static final int UNAVAILABLE = 503;
  private static final int FIRST_OF_SERVER = 500;

  private final BooleanSupplier ready;

  /**
   * @param ready false while the server stops: connections end then, some amid a call
   */
  JettyProblems(BooleanSupplier ready) {
    this.ready = ready;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    int status = response.getStatus();
    String path = String.valueOf(request.getHttpURI().getPath());
    if (status >= FIRST_OF_SERVER && path.equals(UNREAD) && !ready.getAsBoolean()) {
      status = UNAVAILABLE; // No handler has seen it.
      response.setStatus(status);
    }
    Object message = request.getAttribute(ErrorHandler.ERROR_MESSAGE);
    String detail = message == null ? "the request is refused" : message.toString();
    byte[] body = HttpServer.problem(ProblemCode.ofStatus(status), status, detail, path);
    response.getHeaders().put(new HttpField(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE));
    response.write(true, ByteBuffer.wrap(body), callback);
    return true;
  }
}
