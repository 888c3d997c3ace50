package dev.contextd.crash;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.contextd.testkit.ChromemGo;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.ChromemGo.Doc;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The data API of a running daemon over real HTTP. */
final class Api {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int ALL = 10_000;

  private final HttpClient client = HttpClient.newHttpClient();
  private final String base;

  Api(int port) {
    this.base = "http://localhost:" + port;
  }

  /** A call to send. */
  record Call(String method, String path, Map<String, ?> body) {
    static Call get(String path) {
      return new Call("GET", path, Map.of());
    }

    static Call delete(String path) {
      return new Call("DELETE", path, Map.of());
    }

    static Call post(String path, Map<String, ?> body) {
      return new Call("POST", path, body);
    }
  }

  /** What came back. */
  record Answer(int status, JsonNode body) {
    boolean isFine() {
      return status / 100 == 2;
    }

    String code() {
      return body.path("code").asText();
    }
  }

  /**
   * @throws IOException where no whole answer came
   */
  Answer send(Call call) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + call.path())).timeout(PATIENCE);
    if (call.method().equals("POST")) {
      request.header("Content-Type", "application/json");
      request.POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(call.body())));
    } else {
      request.method(call.method(), HttpRequest.BodyPublishers.noBody());
    }
    try {
      HttpResponse<String> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      return new Answer(response.statusCode(), JSON.readTree(response.body()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private JsonNode fine(Call call) throws IOException {
    Answer answer = send(call);
    if (!answer.isFine()) {
      throw new AssertionError(call + " gave " + answer);
    }
    return answer.body();
  }

  int healthStatus() throws IOException {
    return send(Call.get("/health")).status();
  }

  static String documents(String collection) {
    return "/api/v1/collections/" + collection + "/documents";
  }

  /** All that is served: found by queries, counted by pages. */
  Map<String, Coll> view(int dimension) throws IOException {
    Map<String, Coll> view = new TreeMap<>();
    for (JsonNode found : fine(Call.get("/api/v1/collections")).path("collections")) {
      String name = found.path("name").asText();
      Map<String, Doc> documents = query(name, dimension);
      if (!documents.keySet().equals(ids(name))) {
        throw new AssertionError(name + ": query finds " + documents + ", pages " + ids(name));
      }
      if (documents.size() != found.path("count").asInt()) {
        throw new AssertionError(found + " counts not the " + documents.size() + " there are");
      }
      view.put(name, new Coll(strings(found.path("metadata")), documents));
    }
    return view;
  }

  private Map<String, Doc> query(String collection, int dimension) throws IOException {
    float[] target = new float[dimension];
    target[0] = 1;
    Map<String, ?> body =
        Map.of(
            "embedding",
            target,
            "limit",
            ALL,
            "include",
            new String[] {"content", "metadata", "embedding"});
    Map<String, Doc> documents = new TreeMap<>();
    Call call = Call.post("/api/v1/collections/" + collection + "/query", body);
    for (JsonNode hit : fine(call).path("results")) {
      documents.put(hit.path("id").asText(), doc(hit));
    }
    return documents;
  }

  private Set<String> ids(String collection) throws IOException {
    Set<String> ids = new TreeSet<>();
    String cursor = "";
    do {
      JsonNode page = fine(Call.get(documents(collection) + "?limit=1000" + cursor));
      page.path("documents").forEach(found -> ids.add(found.path("id").asText()));
      JsonNode next = page.path("next_cursor");
      cursor = next.isNull() ? "" : "&cursor=" + next.asText();
    } while (!cursor.isEmpty());
    return ids;
  }

  private static Doc doc(JsonNode hit) {
    float[] embedding = new float[hit.path("embedding").size()];
    for (int i = 0; i < embedding.length; i++) {
      embedding[i] = (float) hit.path("embedding").get(i).doubleValue();
    }
    return new Doc(
        strings(hit.path("metadata")), ChromemGo.bits(embedding), hit.path("content").asText());
  }

  static Map<String, String> strings(JsonNode object) {
    Map<String, String> strings = new TreeMap<>();
    object.properties().forEach(field -> strings.put(field.getKey(), field.getValue().asText()));
    return strings;
  }
}
