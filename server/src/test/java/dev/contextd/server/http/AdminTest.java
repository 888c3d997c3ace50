package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.testkit.StoreRoot;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator's calls: the trash and its way back, checkpoints, scrubs, and who may ask. */
class AdminTest {
  private static final String NOTES = "/api/v1/collections/notes";
  private static final String ADMIN = "/api/v1/admin";
  private static final List<String> POSTS =
      List.of(
          "/trash/restore",
          "/purge",
          "/checkpoint",
          "/scrub",
          "/quarantine/restore",
          "/quarantine/discard",
          "/metadata/recover",
          "/repair",
          "/backups/create",
          "/backups/verify",
          "/migrate",
          "/backups/restore",
          "/remote/sync",
          "/remote/verify",
          "/remote/pause",
          "/remote/resume",
          "/remote/breaker/reset");

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private static void fill(RunningServer server) {
    String body =
        "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0]},{\"id\":\"b\",\"embedding\":[0,1]}]}";
    assertThat(server.post(NOTES + "/documents", body).status()).isEqualTo(201);
  }

  private static void checkpoint(RunningServer server) {
    assertThat(server.send("POST", ADMIN + "/checkpoint", null).status()).isEqualTo(204);
  }

  @Test
  void aDeletedDocumentLiesInTheTrashAndComesBack() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
      checkpoint(server);
      assertThat(server.delete(NOTES + "/documents/a").status()).isEqualTo(204);
      checkpoint(server);
      JsonNode entry = server.get(ADMIN + "/trash").json().at("/entries/0");
      assertThat(entry.get("kind").asText()).isEqualTo("documents");
      assertThat(entry.get("folder").asText()).isEqualTo("ab5aa970");
      assertThat(entry.get("collection").asText()).isEqualTo("notes");
      assertThat(entry.get("documents").asInt()).isEqualTo(1);
      assertThat(Instant.parse(entry.get("since").asText())).isBefore(Instant.now());
      RunningServer.Answer back =
          server.post(
              ADMIN + "/trash/restore", "{\"entry\":\"" + entry.get("name").asText() + "\"}");
      assertThat(back.json().get("restored").asInt()).isEqualTo(1);
      assertThat(server.get(NOTES + "/documents/a").status()).isEqualTo(200);
    }
  }

  @Test
  void whatLiesInQuarantineIsListedRestoredAndWrittenDown() throws Exception {
    Path folder = root.path().resolve("ab5aa970");
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
    }
    Files.delete(folder.resolve("00000000.gob"));
    Files.move(root.path().resolve(".contextd"), root.beside("own"));
    try (RunningServer server = RunningServer.over(root.path())) {
      assertThat(server.get("/health").status()).isEqualTo(503);
      JsonNode entry = server.get(ADMIN + "/quarantine").json().at("/entries/0");
      assertThat(entry.get("entry").asText()).isEqualTo("ab5aa970");
      assertThat(entry.get("documents").asInt()).isEqualTo(2);
      assertThat(entry.get("collection").isNull()).isTrue();
      assertThat(entry.get("next").asText()).isEqualTo("ctxd metadata recover NAME");
      RunningServer.Answer wrong = server.post(ADMIN + "/metadata/recover", "{\"name\":\"other\"}");
      assertThat(wrong.status()).isEqualTo(400);
      assertThat(wrong.json().get("detail").asText()).contains("d9298a10");
      JsonNode done =
          server
              .post(ADMIN + "/metadata/recover", "{\"name\":\"notes\",\"metadata\":{\"a\":\"b\"}}")
              .json();
      assertThat(done.get("done").asText()).contains("2 documents are back in \"notes\"");
      JsonNode notes = server.get(NOTES).json();
      assertThat(notes.at("/metadata/a").asText()).isEqualTo("b");
      assertThat(notes.get("metadata_unknown").asBoolean()).isFalse();
      assertThat(server.get("/health").status()).isEqualTo(200);
      JsonNode lines = server.get(ADMIN + "/audit?limit=2").json().get("entries");
      assertThat(lines).hasSize(2);
      assertThat(lines.findValuesAsText("what")).containsExactly("restored", "recovered");
      assertThat(server.get(ADMIN + "/audit?limit=0").status()).isEqualTo(400);
    }
  }

  @Test
  void whatIsDiscardedGoesToTheTrash() throws Exception {
    Path folder = Files.createDirectories(root.path().resolve("00112233"));
    Files.writeString(folder.resolve("00112233.gob"), "no gob");
    try (RunningServer server = RunningServer.over(root.path())) {
      String body = "{\"entry\":\"00112233\"}";
      assertThat(server.post(ADMIN + "/quarantine/restore", body).status()).isEqualTo(400);
      assertThat(
              server.post(ADMIN + "/quarantine/discard", body).json().at("/discarded/0").asText())
          .isEqualTo("00112233");
      assertThat(server.post(ADMIN + "/quarantine/discard", body).status()).isEqualTo(400);
      assertThat(server.get("/health").status()).isEqualTo(200);
      assertThat(server.get(ADMIN + "/trash").json().get("entries")).hasSize(1);
    }
  }

  @Test
  void aBackupIsMadeListedVerifiedAndRestored() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
      assertThat(server.post(ADMIN + "/backups/verify", "{}").status()).isEqualTo(400);
      JsonNode made = server.send("POST", ADMIN + "/backups/create", null).json();
      assertThat(made.get("documents").asInt()).isEqualTo(2);
      assertThat(server.post(ADMIN + "/backups/verify", "{}").json().get("fault").isNull())
          .isTrue();
      assertThat(server.get(ADMIN + "/backups").json().at("/backups/0/name").asText())
          .isEqualTo(made.get("name").asText());
      assertThat(server.delete(NOTES).status()).isEqualTo(204);
      JsonNode back = server.post(ADMIN + "/backups/restore", "{\"collection\":\"notes\"}").json();
      assertThat(back.get("documents").asInt()).isEqualTo(2);
      assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(2);
      assertThat(server.post(ADMIN + "/backups/restore", "{\"name\":\"../x\"}").status())
          .isEqualTo(400);
    }
  }

  @Test
  void aDeletedCollectionComesBackWithAllItsDocuments() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
      checkpoint(server);
      assertThat(server.delete(NOTES).status()).isEqualTo(204);
      checkpoint(server);
      JsonNode entry = server.get(ADMIN + "/trash").json().at("/entries/0");
      assertThat(entry.get("kind").asText()).isEqualTo("collection");
      assertThat(entry.get("collection").isNull()).isTrue();
      assertThat(entry.get("documents").asInt()).isEqualTo(2);
      server.post(ADMIN + "/trash/restore", "{\"entry\":\"" + entry.get("name").asText() + "\"}");
      assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(2);
    }
  }

  @Test
  void purgingTakesWhatIsOldEnoughAndNothingElse() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
      checkpoint(server);
      server.delete(NOTES + "/documents/a");
      checkpoint(server);
      assertThat(server.post(ADMIN + "/purge", "{\"older_than\":\"720h\"}").json().get("purged"))
          .hasToString("0");
      assertThat(server.get(ADMIN + "/trash").json().get("entries")).hasSize(1);
      assertThat(server.post(ADMIN + "/purge", "{\"older_than\":\"0s\"}").json().get("purged"))
          .hasToString("1");
      assertThat(server.get(ADMIN + "/trash").json().get("entries")).isEmpty();
      assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"older_than\":\"30d\"}", "{\"older_than\":\"-1h\"}"})
  void purgingNeedsADuration(String body) throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      RunningServer.Answer answer = server.post(ADMIN + "/purge", body);
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.code()).isEqualTo("invalid_argument");
      assertThat(answer.json().get("detail").asText()).contains("older_than").contains("720h");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"entry\":\"nope\"}",
        "{\"entry\":\"../../etc\"}",
        "{\"entry\":\"20260101T000000.000Z-ab5aa970\"}"
      })
  void whatIsNotInTheTrashCannotComeBack(String body) throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      RunningServer.Answer answer = server.post(ADMIN + "/trash/restore", body);
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.code()).isEqualTo("invalid_argument");
    }
  }

  @Test
  void aCheckpointBringsEveryWriteToItsFileAndTheStatusSaysSo() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
      checkpoint(server);
      assertThat(StoreRoot.check(root.path()).folders().getFirst().served()).isEqualTo(2);
      JsonNode durability = server.get("/api/v1/status").json().get("durability");
      assertThat(durability.get("pending_bytes").asLong()).isZero();
      assertThat(Instant.parse(durability.get("last_checkpoint").asText())).isBefore(Instant.now());
      assertThat(durability.get("failure").isNull()).isTrue();
      assertThat(durability.at("/journal/syncs").asLong()).isPositive();
      assertThat(durability.at("/journal/records").asLong()).isPositive();
      assertThat(durability.at("/journal/bytes").asLong()).isPositive();
      assertThat(durability.at("/journal/sync_seconds").asDouble()).isPositive();
    }
  }

  @Test
  void aScrubMendsWhatRottedFromItsOtherCopy() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      fill(server);
      checkpoint(server);
      JsonNode clean = server.send("POST", ADMIN + "/scrub", null).json();
      assertThat(clean).hasToString("{\"damage\":[],\"mended\":0,\"brake\":null}");
      Path document = documentIn(root.path().resolve("ab5aa970"));
      byte[] content = Files.readAllBytes(document);
      byte[] rotten = content.clone();
      rotten[rotten.length / 2] ^= 1;
      Files.write(document, rotten);
      JsonNode found = server.send("POST", ADMIN + "/scrub", null).json();
      assertThat(found.get("mended").asInt()).isEqualTo(1);
      assertThat(found.at("/damage/0/folder").asText()).isEqualTo("ab5aa970");
      assertThat(found.at("/damage/0/file").asText()).isEqualTo(document.getFileName().toString());
      assertThat(found.at("/damage/0/kind").asText()).matches("[a-z_]+");
      assertThat(found.at("/damage/0/sentence").asText()).endsWith(".");
      checkpoint(server);
      assertThat(Files.readAllBytes(document)).isEqualTo(content);
    }
  }

  private static Path documentIn(Path folder) throws Exception {
    try (var files = Files.list(folder)) {
      return files
          .filter(file -> !file.getFileName().toString().startsWith("00000000"))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void aTenantIsRefused() throws Exception {
    try (RunningServer server = RunningServer.withTenants(root.path())) {
      assertThat(server.get(ADMIN + "/trash").status()).isEqualTo(200);
      for (String header : List.of("X-Tenant-Id", "X-Team-Id", "X-Project-Id")) {
        assertThat(server.get(ADMIN + "/trash", header, "t").status()).isEqualTo(403);
        for (String path : POSTS) {
          RunningServer.Answer answer =
              server.send("POST", ADMIN + path, "{\"older_than\":\"0s\"}", header, "t");
          assertThat(answer.status()).as(path).isEqualTo(403);
          assertThat(answer.code()).isEqualTo("forbidden");
        }
      }
    }
  }

  @Test
  void aTokenIsNeededWhereThereIsOne() throws Exception {
    String token = "a-token-of-sufficient-length";
    try (RunningServer server = RunningServer.withToken(root.path(), token)) {
      assertThat(server.get(ADMIN + "/trash").status()).isEqualTo(401);
      assertThat(server.get(ADMIN + "/trash", "Authorization", "Bearer " + token).status())
          .isEqualTo(200);
    }
  }

  /** The settings refuse such a daemon; the routes do not rely on that. */
  @Test
  void anotherMachinesPeerIsRefusedWhateverItsHeadersSay() throws Exception {
    Optional<InetAddress> own = ownAddressBeyondLoopback();
    assumeThat(own).isPresent();
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults());
        HttpServer server =
            HttpServer.start(
                store,
                RunningServer.metrics(root.path(), store),
                new HttpServer.Options(
                    "0.0.0.0", 0, false, Optional.empty(), false, Duration.ofSeconds(1), "test"));
        HttpClient client = HttpClient.newHttpClient()) {
      String base = "http://" + own.orElseThrow().getHostAddress() + ":" + server.port();
      for (String header : List.of("X-Forwarded-For", "Forwarded", "X-Real-IP")) {
        String value = header.equals("Forwarded") ? "for=127.0.0.1" : "127.0.0.1";
        HttpRequest trash =
            HttpRequest.newBuilder(URI.create(base + ADMIN + "/trash"))
                .header(header, value)
                .build();
        HttpResponse<String> answer = client.send(trash, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(header).isEqualTo(403);
        assertThat(answer.body()).contains("\"operator_only\"");
      }
    }
  }

  private static Optional<InetAddress> ownAddressBeyondLoopback() throws Exception {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> address instanceof java.net.Inet4Address)
        .filter(address -> !address.isLoopbackAddress())
        .findFirst();
  }

  @Test
  void onlyLoopbacksOwnAddressesAreThisMachine() {
    assertThat(List.of("127.0.0.1", "127.1.2.3", "::1", "[::1]", "0:0:0:0:0:0:0:1"))
        .allMatch(Gatekeeper::isLoopback);
    assertThat(List.of("10.0.0.1", "::2", "localhost", "", "null", "127.0.0.1.evil.example"))
        .noneMatch(Gatekeeper::isLoopback);
  }
}
