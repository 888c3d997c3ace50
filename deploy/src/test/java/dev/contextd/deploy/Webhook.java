package dev.contextd.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** Where an Alertmanager sends its notices: keeps every one, by the path that it was sent to. */
final class Webhook implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int OK = 200;

  private final List<Notice> notices = new CopyOnWriteArrayList<>();
  private final HttpServer server;

  /**
   * One alert in one notice.
   *
   * @param receiver the last part of the path
   * @param isFiring or else resolved
   */
  record Notice(
      String receiver,
      boolean isFiring,
      Map<String, String> labels,
      Map<String, String> annotations) {
    String alert() {
      return labels.getOrDefault("alertname", "");
    }

    boolean isFor(String alert, String job) {
      return alert().equals(alert) && job.equals(labels.get("job"));
    }
  }

  Webhook() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::take);
    server.start();
  }

  private void take(HttpExchange call) throws IOException {
    try (call) {
      String path = call.getRequestURI().getPath();
      String receiver = path.substring(path.lastIndexOf('/') + 1);
      for (JsonNode alert : JSON.readTree(call.getRequestBody()).path("alerts")) {
        notices.add(
            new Notice(
                receiver,
                alert.path("status").asText().equals("firing"),
                strings(alert.path("labels")),
                strings(alert.path("annotations"))));
      }
      call.sendResponseHeaders(OK, -1);
    }
  }

  private static Map<String, String> strings(JsonNode object) {
    return object.properties().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, field -> field.getValue().asText()));
  }

  /** All notices so far, the oldest first. */
  List<Notice> notices() {
    return List.copyOf(notices);
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
