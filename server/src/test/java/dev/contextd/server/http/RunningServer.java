package dev.contextd.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.HealthOptions;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.ReadFrom;
import dev.contextd.resilience.remote.RemoteOptions;
import dev.contextd.resilience.remote.UnattendedRemote;
import dev.contextd.server.metrics.Metrics;
import dev.contextd.storage.checkpoint.KeeperOptions;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A real server on a free port over a real folder, and a client to call it. */
final class RunningServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Every answer comes from a check of its own. */
  private static final Duration NOW = Duration.ZERO;

  private final ResilientStore store;
  private final HttpServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  private RunningServer(ResilientStore store, HttpServer server) {
    this.store = store;
    this.server = server;
  }

  static RunningServer over(Path root) throws IOException {
    return over(root, StoreOptions.defaults(), Optional.empty(), false);
  }

  /** Without metadata a folder is set aside, whatever its name proves. */
  static RunningServer quarantining(Path root) throws IOException {
    return over(root, StoreOptions.defaults().withProvenNames(false), Optional.empty(), false);
  }

  static RunningServer withEmbedder(Path root, Embedder embedder) throws IOException {
    return over(root, StoreOptions.defaults().withEmbedder(embedder), Optional.empty(), false);
  }

  static RunningServer withToken(Path root, String token) throws IOException {
    return over(root, StoreOptions.defaults(), Optional.of(token), false);
  }

  static RunningServer withTenants(Path root) throws IOException {
    return over(root, StoreOptions.defaults(), Optional.empty(), true);
  }

  static RunningServer over(
      Path root, StoreOptions options, Optional<String> token, boolean tenantRequired)
      throws IOException {
    return over(root, options, token, tenantRequired, HealthOptions.defaults().withMaxAge(NOW));
  }

  static RunningServer over(
      Path root,
      StoreOptions options,
      Optional<String> token,
      boolean tenantRequired,
      HealthOptions health)
      throws IOException {
    ResilientStore store = ResilientStore.open(root, options, health);
    HttpServer server =
        HttpServer.start(
            store,
            RunningServer.metrics(root, store),
            new HttpServer.Options(
                "localhost", 0, true, token, tenantRequired, Duration.ofSeconds(10), "test"));
    return new RunningServer(store, server);
  }

  /** In front of a remote store, that it brings up to date. */
  static RunningServer inFrontOf(Path root, RemoteStore remote) throws IOException {
    ResilientStore store =
        ResilientStore.open(
            root,
            StoreOptions.defaults().withKeeper(KeeperOptions.defaults().withOutbox(true)),
            HealthOptions.defaults().withMaxAge(NOW));
    store.remote().attach(remote, RemoteOptions.defaults());
    return of(root, store);
  }

  /** In front of a remote store that holds the documents alone. */
  static RunningServer before(Path root, RemoteStore remote) throws IOException {
    ResilientStore store =
        ResilientStore.open(
            root, StoreOptions.defaults(), HealthOptions.defaults().withMaxAge(NOW));
    store
        .remote()
        .attachAlone(
            remote, RemoteOptions.defaults().withReadFrom(ReadFrom.MERGED), Optional.empty());
    return of(root, store);
  }

  private static RunningServer of(Path root, ResilientStore store) {
    Metrics metrics = RunningServer.metrics(root, store);
    HttpServer server =
        HttpServer.start(
            store,
            metrics,
            new HttpServer.Options(
                "localhost", 0, true, Optional.empty(), false, Duration.ofSeconds(10), "test"));
    return new RunningServer(store, server);
  }

  /** Every call of the data API goes to a remote store. */
  static RunningServer callingDirectly(Path root, RemoteStore remote) throws IOException {
    ResilientStore store = ResilientStore.open(root, StoreOptions.defaults());
    store.remote().tell(() -> UnattendedRemote.direct(remote));
    HttpServer server =
        HttpServer.start(
            store,
            remote,
            RunningServer.metrics(root, store),
            new HttpServer.Options(
                "localhost", 0, true, Optional.empty(), false, Duration.ofSeconds(10), "test"));
    return new RunningServer(store, server);
  }

  /** Reachable from other machines, which the settings would refuse without a token. */
  static RunningServer on(Path root, String host) throws IOException {
    ResilientStore store = ResilientStore.open(root, StoreOptions.defaults());
    HttpServer server =
        HttpServer.start(
            store,
            RunningServer.metrics(root, store),
            new HttpServer.Options(
                host, 0, false, Optional.empty(), false, Duration.ofSeconds(10), "test"));
    return new RunningServer(store, server);
  }

  /** Metrics that hear of every check. */
  static Metrics metrics(Path root, ResilientStore store) {
    Metrics metrics =
        new Metrics(store, new Metrics.Options(root, false, Duration.ofMinutes(5), "test"));
    store.checker().listen(metrics.health());
    return metrics;
  }

  HttpServer server() {
    return server;
  }

  ResilientStore store() {
    return store;
  }

  URI uri(String path) {
    return URI.create("http://localhost:" + server.port() + path);
  }

  /** An answer: its status, its body as JSON (missing where empty), its content type. */
  record Answer(int status, JsonNode json, String contentType, HttpResponse<String> raw) {
    String code() {
      return json.path("code").asText();
    }
  }

  Answer get(String path, String... headers) {
    return send("GET", path, null, headers);
  }

  /** An answer's body that is no JSON. */
  String text(String path, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString()).body();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("GET " + path, e);
    }
  }

  Answer delete(String path, String... headers) {
    return send("DELETE", path, null, headers);
  }

  Answer post(String path, String body, String... headers) {
    return send("POST", path, body, headers);
  }

  Answer send(String method, String path, @Nullable String body, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    if (body == null) {
      request.method(method, HttpRequest.BodyPublishers.noBody());
    } else {
      request.method(method, HttpRequest.BodyPublishers.ofString(body));
      request.header("Content-Type", "application/json");
    }
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      HttpResponse<String> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      String text = response.body();
      return new Answer(
          response.statusCode(),
          text.isEmpty() ? JSON.missingNode() : JSON.readTree(text),
          response.headers().firstValue("Content-Type").orElse(""),
          response);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(method + " " + path, e);
    }
  }

  /** Sends bytes that no HTTP client would and returns all that comes back. */
  String raw(String request) throws IOException {
    try (Socket socket = new Socket("localhost", server.port())) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() {
    server.close();
    store.close();
  }
}
