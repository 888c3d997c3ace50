package dev.contextd.server.http;

import java.nio.ByteBuffer;
import org.eclipse.jetty.ee10.servlet.ErrorPageErrorHandler;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What Jetty itself refuses, before any route is found, as problems like all others. */
final class JettyProblems extends ErrorPageErrorHandler {
  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    int status = response.getStatus();
    Object message = request.getAttribute(ErrorHandler.ERROR_MESSAGE);
    String detail = message == null ? "the request is refused" : message.toString();
    byte[] body =
        HttpServer.problem(
            ProblemCode.ofStatus(status),
            status,
            detail,
            String.valueOf(request.getHttpURI().getPath()));
    response.getHeaders().put(new HttpField(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE));
    response.write(true, ByteBuffer.wrap(body), callback);
    return true;
  }
}
