package dev.contextd.server.http;

import io.javalin.http.Handler;
import io.javalin.http.HandlerType;

/**
 * A method and a path that is served.
 *
 * @param path with parameters in braces, as in the OpenAPI document
 */
record Route(HandlerType method, String path, Handler handler) {
  /** Whether it is asked for what it answers, not for what it does. */
  boolean isReading() {
    return method.equals(HandlerType.GET) || method.equals(HandlerType.HEAD);
  }
}
