package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.HealthOptions;
import dev.contextd.testkit.PathFaults;
import dev.contextd.testkit.StoreRoot;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What operators are told of the store's health, and who is told. */
class HealthTest {
  private static final String METADATA = "/api/v1/health/metadata";
  private static final String MEMORIES = "e9f85bf6";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private RunningServer over(HealthOptions health) throws Exception {
    return RunningServer.over(
        root.path(), StoreOptions.defaults(), Optional.empty(), false, health);
  }

  @Test
  void aHealthyStoreSaysSoInEveryFieldOfTheContract() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.createDirectories(root.path().resolve("deadbeef"));
    try (RunningServer server = RunningServer.over(root.path())) {
      RunningServer.Answer health = server.get("/health");
      assertThat(health.status()).isEqualTo(200);
      assertThat(health.json().at("/status").asText()).isEqualTo("ok");
      assertThat(health.json().at("/metadata").toString())
          .isEqualTo(
              "{\"status\":\"healthy\",\"healthy_count\":3,\"corrupt_count\":0,\"empty_count\":1,"
                  + "\"total\":4,\"corrupt_hashes\":[],\"details\":{}}");
      JsonNode metadata = server.get(METADATA).json();
      assertThat(metadata.at("/healthy").toString())
          .isEqualTo("[\"a1ef3a3d\",\"e9f85bf6\",\"f546c161\"]");
      assertThat(metadata.at("/empty").toString()).isEqualTo("[\"deadbeef\"]");
      assertThat(metadata.at("/corrupt").isEmpty()).isTrue();
      assertThat(metadata.at("/total").asInt()).isEqualTo(4);
      assertThat(metadata.at("/healthy_count").asInt()).isEqualTo(3);
      assertThat(metadata.at("/corrupt_count").isInt()).isTrue();
      assertThat(Instant.parse(metadata.at("/last_check_time").asText())).isBefore(Instant.now());
      assertThat(metadata.at("/check_duration").asLong()).isPositive();
      assertThat(metadata.at("/details").isObject()).isTrue();
    }
  }

  @Test
  void damageIsCountedByKindAndTheQuarantineIsListed() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    Files.write(root.path().resolve("a1ef3a3d/24577f65.gob"), new byte[] {1});
    try (RunningServer server = RunningServer.quarantining(root.path())) {
      RunningServer.Answer answer = server.get(METADATA);
      assertThat(answer.status()).isEqualTo(503);
      JsonNode metadata = answer.json();
      assertThat(metadata.at("/status").asText()).isEqualTo("degraded");
      assertThat(metadata.at("/corrupt").toString()).isEqualTo("[\"a1ef3a3d\",\"e9f85bf6\"]");
      assertThat(metadata.at("/damage").toString())
          .isEqualTo("{\"document_unreadable\":1,\"metadata_missing\":1}");
      assertThat(metadata.at("/details/" + MEMORIES).asText()).contains("missing beside 6");
      assertThat(metadata.at("/quarantined/0/entry").asText()).isEqualTo("a1ef3a3d.24577f65");
      assertThat(metadata.at("/quarantined/0/file").asText()).isEqualTo("24577f65.gob");
      assertThat(metadata.at("/quarantined/1/folder").asText()).isEqualTo(MEMORIES);
      assertThat(metadata.at("/unavailable_documents").asInt()).isEqualTo(7);
      assertThat(metadata.at("/next").asText()).contains("ctxd repair --dry-run");
      assertThat(server.get("/health").json().at("/quarantined").size()).isEqualTo(2);
      assertThat(server.get("/livez").status()).isEqualTo(200);
      assertThat(server.get("/readyz").status()).isEqualTo(200);
    }
  }

  @Test
  void aStoreThatCannotBeWrittenSaysWhyAlthoughItIsHealthy() throws Exception {
    root.copyOf("chromem-go/plain");
    StoreOptions options =
        StoreOptions.defaults().withDisk(new PathFaults(path -> false, path -> true));
    try (RunningServer server = RunningServer.over(root.path(), options, Optional.empty(), false)) {
      RunningServer.Answer health = server.get("/health");
      assertThat(health.status()).isEqualTo(200);
      assertThat(health.json().at("/read_only").asText()).contains("cannot be written");
      assertThat(health.json().at("/next").asText()).contains("nothing can be written");
    }
  }

  @Test
  void aRootThatIsGoneIsAnErrorAndNotHealth() throws Exception {
    root.copyOf("chromem-go/plain");
    try (RunningServer server = RunningServer.over(root.path())) {
      assertThat(server.get("/health").status()).isEqualTo(200);
      Files.move(root.path(), root.beside("elsewhere"));
      RunningServer.Answer health = server.get("/health");
      assertThat(health.status()).isEqualTo(503);
      assertThat(health.json().at("/status").asText()).isEqualTo("degraded");
      assertThat(health.json().at("/error").asText()).contains("is gone");
      assertThat(health.json().at("/metadata/healthy_count").asInt()).isEqualTo(3);
      assertThat(server.get("/readyz").status()).isEqualTo(200);
      Files.move(root.beside("elsewhere"), root.path());
      health = server.get("/health");
      assertThat(health.status()).isEqualTo(200);
      assertThat(health.json().at("/error").isNull()).isTrue();
      assertThat(health.json().at("/read_only").asText()).contains("is gone");
    }
  }

  @Test
  void answersComeFromTheLastCheckWhileItIsYoungAndFreshOnesDoNot() throws Exception {
    root.copyOf("chromem-go/plain");
    HealthOptions hour = HealthOptions.defaults().withMaxAge(Duration.ofHours(1));
    try (RunningServer server = over(hour)) {
      String first = server.get("/health").json().at("/last_check_time").asText();
      Files.createDirectories(root.path().resolve("deadbeef"));
      JsonNode cached = server.get("/health").json();
      assertThat(cached.at("/last_check_time").asText()).isEqualTo(first);
      assertThat(cached.at("/metadata/empty_count").asInt()).isZero();
      JsonNode fresh = server.get("/health?fresh=true").json();
      assertThat(fresh.at("/metadata/empty_count").asInt()).isEqualTo(1);
      assertThat(server.get(METADATA).json().at("/empty/0").asText()).isEqualTo("deadbeef");
      assertThat(server.get("/health?fresh=yes").code()).isEqualTo("invalid_argument");
    }
  }

  @Test
  void manyCallersShareOneCheck() throws Exception {
    root.copyOf("chromem-go/plain");
    HealthOptions hour = HealthOptions.defaults().withMaxAge(Duration.ofHours(1));
    List<String> times = new ArrayList<>();
    try (RunningServer server = over(hour);
        var callers = Executors.newFixedThreadPool(20)) {
      Callable<String> call = () -> server.get("/health").json().at("/last_check_time").asText();
      for (var answer : callers.invokeAll(java.util.Collections.nCopies(100, call))) {
        times.add(answer.get());
      }
    }
    assertThat(times).hasSize(100).containsOnly(times.getFirst());
  }

  @Test
  void aForgedForwardedForHeaderGainsNothing() throws Exception {
    root.copyOf("chromem-go/plain");
    Optional<InetAddress> outside = outside();
    Assumptions.assumeTrue(outside.isPresent(), "this machine has no address beside loopback");
    String host = outside.orElseThrow().getHostAddress();
    try (RunningServer server = RunningServer.on(root.path(), host);
        HttpClient client = HttpClient.newHttpClient()) {
      for (String header : List.of("X-Forwarded-For", "Forwarded", "X-Real-IP")) {
        HttpRequest request =
            HttpRequest.newBuilder(
                    URI.create("http://" + host + ":" + server.server().port() + METADATA))
                .header(header, header.equals("Forwarded") ? "for=127.0.0.1" : "127.0.0.1")
                .build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(answer.body()).doesNotContain(MEMORIES);
      }
    }
  }

  private static Optional<InetAddress> outside() throws Exception {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> !address.isLoopbackAddress() && address instanceof java.net.Inet4Address)
        .findFirst();
  }

  @Test
  void theTokenOpensTheReportAndATenantDoesNot() throws Exception {
    root.copyOf("chromem-go/plain");
    String token = "0123456789abcdef0123456789abcdef";
    try (RunningServer server = RunningServer.withToken(root.path(), token)) {
      assertThat(server.get(METADATA).status()).isEqualTo(401);
      String bearer = "Bearer " + token;
      assertThat(server.get(METADATA, "Authorization", bearer).status()).isEqualTo(200);
      assertThat(server.get(METADATA, "Authorization", bearer, "X-Tenant-Id", "a").status())
          .isEqualTo(403);
    }
  }
}
