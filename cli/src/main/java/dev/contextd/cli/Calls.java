package dev.contextd.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.contextd.server.settings.KeyFile;
import dev.contextd.server.settings.SettingsException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Calls of the daemon's API. */
final class Calls {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(5);
  private static final int FIRST_FAILURE = 400;
  private static final int DEGRADED = 503;

  private static final String KEY = "X-Export-Key";
  private static final String OPERATOR = "X-Contextd-Operator";

  private final String address;
  private final Optional<String> token;
  private final HttpClient client =
      HttpClient.newBuilder().connectTimeout(CONNECT_PATIENCE).build();

  Calls(String address, Optional<String> token) {
    this.address = address;
    this.token = token;
  }

  /** A {@code GET}. */
  JsonNode get(String path) {
    return json(path, send(request(path).GET()), false);
  }

  /** A check of health, whose answer is one though the store be degraded. */
  JsonNode health(String path) {
    return json(path, send(request(path).GET()), true);
  }

  JsonNode post(String path, Map<String, ?> body) {
    try {
      HttpRequest.Builder request =
          request(path)
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)));
      return json(path, send(request), false);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** An answer that is a file. */
  byte[] bytes(String path, Optional<byte[]> key) {
    HttpRequest.Builder request = request(path).GET();
    key.ifPresent(secret -> request.header(KEY, Base64.getEncoder().encodeToString(secret)));
    HttpResponse<byte[]> answer = send(request, HttpResponse.BodyHandlers.ofByteArray());
    if (answer.statusCode() >= FIRST_FAILURE) {
      throw new CliException(
          problem(
              tree(path, new String(answer.body(), StandardCharsets.UTF_8), answer.statusCode()),
              answer.statusCode()));
    }
    return answer.body();
  }

  /** Sends a file. */
  JsonNode send(String path, Path file, Optional<byte[]> key) {
    try {
      HttpRequest.Builder request =
          request(path)
              .header("Content-Type", "application/octet-stream")
              .POST(HttpRequest.BodyPublishers.ofFile(file));
      key.ifPresent(secret -> request.header(KEY, Base64.getEncoder().encodeToString(secret)));
      return json(path, send(request), false);
    } catch (FileNotFoundException e) {
      throw new CliException("there is no file " + file);
    }
  }

  /**
   * Reads a key; none where no file is named.
   *
   * @throws CliException where the file cannot be read, or holds no key
   */
  static Optional<byte[]> key(@Nullable Path file) {
    try {
      return file == null ? Optional.empty() : Optional.of(KeyFile.read(file));
    } catch (SettingsException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    }
  }

  static String encoded(String segment) {
    return java.net.URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(address + path)).header(OPERATOR, operator());
    token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
    return request;
  }

  /** Who runs this, as the system knows them; a header takes no more than ASCII. */
  private static String operator() {
    return "ctxd of " + System.getProperty("user.name", "?").replaceAll("[^ -~]", "?");
  }

  private HttpResponse<String> send(HttpRequest.Builder request) {
    return send(request, HttpResponse.BodyHandlers.ofString());
  }

  private <T> HttpResponse<T> send(
      HttpRequest.Builder request, HttpResponse.BodyHandler<T> handler) {
    try {
      return client.send(request.build(), handler);
    } catch (IOException e) {
      throw new CliException(
          "the daemon at %s does not answer: %s; look at its log, or start it"
              .formatted(address, e.getMessage() == null ? e.toString() : e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while the daemon at " + address + " was at work");
    }
  }

  private JsonNode json(String path, HttpResponse<String> answer, boolean isHealth) {
    JsonNode body = tree(path, answer.body(), answer.statusCode());
    boolean isDegraded = isHealth && answer.statusCode() == DEGRADED && body.has("healthy_count");
    if (answer.statusCode() >= FIRST_FAILURE && !isDegraded) {
      throw new CliException(problem(body, answer.statusCode()));
    }
    return body;
  }

  private JsonNode tree(String path, String body, int status) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new CliException(
          "what listens at %s is no contextd: %s answers %d".formatted(address, path, status));
    }
  }

  private static String problem(JsonNode problem, int status) {
    String detail = problem.path("detail").asText("status " + status);
    String next = problem.path("next").asText("");
    return next.isEmpty() ? detail : detail + " (" + next + ")";
  }
}
