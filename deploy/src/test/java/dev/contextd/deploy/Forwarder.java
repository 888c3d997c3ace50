package dev.contextd.deploy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * Asks the daemon for its metrics on behalf of a Prometheus, in a format of our choice: the one
 * that Debian ships cannot be told which to prefer.
 */
final class Forwarder implements AutoCloseable {
  private static final int BAD_GATEWAY = 502;

  private final Set<String> contentTypes = new ConcurrentSkipListSet<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private final URI metrics;
  private final String accept;
  private final HttpServer server;

  /**
   * @param daemon its port
   * @param accept the format asked for, as in the header of that name
   */
  Forwarder(int daemon, String accept) throws IOException {
    this.metrics = URI.create("http://localhost:" + daemon + "/metrics");
    this.accept = accept;
    this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/metrics", this::forward);
    server.start();
  }

  private void forward(HttpExchange call) throws IOException {
    try (call) {
      HttpResponse<byte[]> answer = ask();
      String type = answer.headers().firstValue("Content-Type").orElse("none");
      contentTypes.add(type);
      call.getResponseHeaders().set("Content-Type", type);
      call.sendResponseHeaders(answer.statusCode(), answer.body().length);
      call.getResponseBody().write(answer.body());
    } catch (IOException e) {
      call.sendResponseHeaders(BAD_GATEWAY, -1);
    }
  }

  private HttpResponse<byte[]> ask() throws IOException {
    HttpRequest request = HttpRequest.newBuilder(metrics).header("Accept", accept).build();
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** The formats in which the daemon has answered. */
  Set<String> contentTypes() {
    return contentTypes;
  }

  String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
