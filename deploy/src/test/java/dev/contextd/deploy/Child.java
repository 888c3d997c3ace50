package dev.contextd.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A Prometheus or an Alertmanager as a child process on a free port of loopback; closing it kills
 * it.
 */
record Child(Process process, int port) implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final int OK = 200;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  /**
   * @param settings the file's text
   * @param folder for everything it writes
   */
  static Child prometheus(String settings, Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("prometheus.yml"), settings);
    return start(
        folder,
        List.of(
            Installed.prometheus().toString(),
            "--config.file=" + file,
            "--storage.tsdb.path=" + folder.resolve("prometheus"),
            "--rules.alert.resend-delay=1s"));
  }

  /**
   * @param settings the file's text
   * @param folder for everything it writes
   */
  static Child alertmanager(String settings, Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("alertmanager.yml"), settings);
    return start(
        folder,
        List.of(
            Installed.alertmanager().toString(),
            "--config.file=" + file,
            "--storage.path=" + folder.resolve("alertmanager"),
            "--cluster.listen-address="));
  }

  private static Child start(Path folder, List<String> command) throws IOException {
    int port = freePort();
    Path log = folder.resolve(Path.of(command.getFirst()).getFileName() + ".log");
    ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command));
    builder.command().add("--web.listen-address=127.0.0.1:" + port);
    builder.directory(folder.toFile()).redirectErrorStream(true).redirectOutput(log.toFile());
    Child child = new Child(builder.start(), port);
    try {
      await()
          .atMost(PATIENCE)
          .pollInterval(POLL)
          .until(() -> child.isReady() || !child.process().isAlive());
      assertThat(child.process().isAlive()).as("%s", Files.readString(log)).isTrue();
      return child;
    } catch (IOException | RuntimeException | AssertionError e) {
      child.close();
      throw e;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private boolean isReady() {
    try {
      return send(request("/-/ready").build()).statusCode() == OK;
    } catch (IOException e) {
      return false;
    }
  }

  JsonNode get(String path) throws IOException {
    return JSON.readTree(fine(request(path).build()));
  }

  void post(String path, Object body) throws IOException {
    fine(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
            .build());
  }

  /** What a Prometheus answers to a query now: a list of {@code metric} and {@code value}. */
  JsonNode query(String expression) throws IOException {
    String encoded = URLEncoder.encode(expression, StandardCharsets.UTF_8);
    return get("/api/v1/query?query=" + encoded).path("data").path("result");
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://" + address() + path));
  }

  private static String fine(HttpRequest request) throws IOException {
    HttpResponse<String> answer = send(request);
    assertThat(answer.statusCode()).as("%s: %s", request.uri(), answer.body()).isEqualTo(OK);
    return answer.body();
  }

  private static HttpResponse<String> send(HttpRequest request) throws IOException {
    try {
      return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
