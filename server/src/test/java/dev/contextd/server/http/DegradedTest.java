package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.testkit.StoreRoot;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The incident replayed: a metadata file is lost, and only its collection suffers. */
class DegradedTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void aLostMetadataFileDegradesHealthAndNothingElse() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve("e9f85bf6/00000000.gob"));
    try (RunningServer server = RunningServer.quarantining(root.path())) {
      RunningServer.Answer health = server.get("/health");
      assertThat(health.status()).isEqualTo(503);
      assertThat(health.json().get("status").asText()).isEqualTo("degraded");
      JsonNode metadata = health.json().get("metadata");
      assertThat(metadata.get("healthy_count").asInt()).isEqualTo(2);
      assertThat(metadata.get("corrupt_count").asInt()).isEqualTo(1);
      assertThat(metadata.get("total").asInt()).isEqualTo(3);
      assertThat(metadata.at("/corrupt_hashes/0").asText()).isEqualTo("e9f85bf6");
      assertThat(server.get("/livez").status()).isEqualTo(200);
      assertThat(server.get("/readyz").status()).isEqualTo(200);
      assertThat(server.get("/api/v1/collections/contextd_checkpoints").status()).isEqualTo(200);
      assertThat(root.path().resolve(".quarantine/e9f85bf6/3af7a34d.gob")).doesNotExist();
      assertThat(root.path().resolve(".quarantine/e9f85bf6/16dbe5d8.gob")).exists();
      assertThat(root.path().resolve(".quarantine/e9f85bf6.json")).exists();
    }
  }

  @Test
  void aNamesakeOfAQuarantinedCollectionSaysThatAnElderPartIsUnavailable() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.write(root.path().resolve("e9f85bf6/00000000.gob"), new byte[] {1, 2, 3});
    try (RunningServer server = RunningServer.quarantining(root.path())) {
      String memories = "/api/v1/collections/contextd_memories";
      assertThat(server.get(memories).status()).isEqualTo(404);
      server.post(memories + "/documents", "{\"documents\":[{\"id\":\"n\",\"embedding\":[1,0]}]}");
      JsonNode answer = server.post(memories + "/query", "{\"embedding\":[1,0]}").json();
      assertThat(answer.at("/coverage/searched").asInt()).isEqualTo(1);
      assertThat(answer.at("/coverage/unavailable").asInt()).isEqualTo(6);
      JsonNode health = server.get("/health").json().get("metadata");
      assertThat(health.get("healthy_count").asInt()).isEqualTo(3);
      assertThat(health.get("corrupt_count").asInt()).isEqualTo(1);
      assertThat(health.get("total").asInt()).isEqualTo(4);
    }
  }

  @Test
  void aDamagedDocumentCostsItselfAlone() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.write(root.path().resolve("a1ef3a3d/24577f65.gob"), new byte[0]);
    try (RunningServer server = RunningServer.over(root.path())) {
      JsonNode collection = server.get("/api/v1/collections/contextd_checkpoints").json();
      assertThat(collection.get("count").asInt()).isEqualTo(39);
      assertThat(collection.get("health").asText()).isEqualTo("corrupt");
      JsonNode answer =
          server
              .post(
                  "/api/v1/collections/contextd_checkpoints/query",
                  "{\"embedding\":[1,0,0,0,0,0,0,0]}")
              .json();
      assertThat(answer.at("/coverage/searched").asInt()).isEqualTo(39);
      assertThat(answer.at("/coverage/unavailable").asInt()).isEqualTo(1);
      assertThat(server.get("/health").json().at("/metadata/corrupt_hashes/0").asText())
          .isEqualTo("a1ef3a3d");
      assertThat(List.of(root.path().resolve(".quarantine").toFile().list()))
          .containsExactlyInAnyOrder("a1ef3a3d.24577f65", "a1ef3a3d.24577f65.json");
    }
  }
}
