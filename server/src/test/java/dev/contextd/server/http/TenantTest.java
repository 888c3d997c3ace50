package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tenants see their own documents and nothing of each other's. */
class TenantTest {
  private static final String NOTES = "/api/v1/collections/notes";
  private static final String[] ACME = {"X-Tenant-Id", "acme"};
  private static final String[] OTHER = {"X-Tenant-Id", "other"};

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private static String document(String id, String metadata) {
    return "{\"documents\":[{\"id\":\"%s\",\"content\":\"c\",\"embedding\":[1,0],\"metadata\":%s}]}"
        .formatted(id, metadata);
  }

  @Test
  void withPayloadIsolationACallWithoutATenantIsRefused() throws Exception {
    try (RunningServer server = RunningServer.withTenants(root.path())) {
      assertThat(server.get("/api/v1/collections").code()).isEqualTo("tenant_required");
      assertThat(server.post(NOTES + "/documents", document("a", "{}")).status()).isEqualTo(403);
      server.post(NOTES + "/documents", document("a", "{}"), ACME);
      assertThat(server.get("/api/v1/status").json().at("/collections/0/count").isNull()).isTrue();
      assertThat(server.get("/health").status()).isEqualTo(200);
    }
  }

  @Test
  void readsCountsPagesQueriesAndDeletionsAreConfined() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", document("a", "{\"k\":\"v\"}"), ACME);
      server.post(NOTES + "/documents", document("b", "{\"k\":\"v\"}"), OTHER);
      assertThat(server.get(NOTES + "/documents/a", ACME).json().at("/metadata/tenant_id").asText())
          .isEqualTo("acme");
      assertThat(server.get(NOTES + "/documents/a", OTHER).status()).isEqualTo(404);
      assertThat(server.get(NOTES, OTHER).json().get("count").asInt()).isEqualTo(1);
      assertThat(server.get(NOTES + "/documents", OTHER).json().get("documents")).hasSize(1);
      var found = server.post(NOTES + "/query", "{\"embedding\":[1,0]}", OTHER).json();
      assertThat(found.get("results")).hasSize(1);
      assertThat(found.at("/coverage/searched").asInt()).isEqualTo(1);
      assertThat(server.delete(NOTES + "/documents/a", OTHER).status()).isEqualTo(404);
      assertThat(
              server
                  .post(NOTES + "/documents/delete", "{\"where\":{\"k\":\"v\"}}", OTHER)
                  .json()
                  .get("deleted")
                  .asInt())
          .isEqualTo(1);
      assertThat(server.get(NOTES + "/documents/a", ACME).status()).isEqualTo(200);
    }
  }

  @Test
  void anothersIdIsAConflictThatSaysNoMore() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", document("a", "{}"), ACME);
      RunningServer.Answer answer = server.post(NOTES + "/documents", document("a", "{}"), OTHER);
      assertThat(answer.status()).isEqualTo(409);
      assertThat(answer.raw().body()).doesNotContain("acme");
      assertThat(server.get(NOTES + "/documents/a", ACME).status()).isEqualTo(200);
    }
  }

  /** A proxy that adds its own header behind a forged one was not heard. */
  @Test
  void aTenantThatIsNamedTwiceIsRefused() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", document("a", "{}"), ACME);
      assertThat(server.get(NOTES + "/documents/a", "X-Tenant-Id", "acme", "X-Tenant-Id", "other"))
          .satisfies(answer -> assertThat(answer.status()).isEqualTo(400));
    }
  }

  @Test
  void aTenantsNameIsReadAsUtf8() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", document("a", "{\"k\":\"v\"}"), ACME);
      String call =
          String.join(
              "\r\n",
              "POST " + NOTES + "/documents HTTP/1.1",
              "Host: localhost",
              "X-Tenant-Id: %s",
              "Content-Type: application/json",
              "Content-Length: 44",
              "Connection: close",
              "",
              "{\"documents\":[{\"id\":\"e\",\"embedding\":[1,0]}]}");
      assertThat(server.raw(call.formatted("\u00c3\u0089"))).startsWith("HTTP/1.1 201");
      assertThat(server.get(NOTES + "/documents/e").json().at("/metadata/tenant_id").asText())
          .isEqualTo("\u00c9");
      assertThat(server.raw(call.formatted("\u00c9"))).startsWith("HTTP/1.1 400");
    }
  }

  @Test
  void aCollectionsMetadataCannotNameTenantFieldsEither() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String body = "{\"name\":\"n\",\"metadata\":{\"team_id\":\"x\"}}";
      assertThat(server.post("/api/v1/collections", body, ACME).status()).isEqualTo(403);
      assertThat(server.post("/api/v1/collections", body).status()).isEqualTo(201);
    }
  }

  /** Its sentences name ids of documents, and the call names no tenant. */
  @Test
  void withPayloadIsolationHealthNamesNoDocuments() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.write(root.path().resolve("a1ef3a3d/24577f65.gob"), new byte[0]);
    try (RunningServer server = RunningServer.withTenants(root.path())) {
      RunningServer.Answer health = server.get("/health");
      assertThat(health.status()).isEqualTo(503);
      assertThat(health.json().at("/metadata/corrupt_hashes/0").asText()).isEqualTo("a1ef3a3d");
      assertThat(health.json().at("/metadata/details")).isEmpty();
    }
  }

  @Test
  void tenantFieldsCannotBeNamedAndCollectionsCannotBeDeleted() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", document("a", "{}"), ACME);
      assertThat(
              server
                  .post(NOTES + "/documents", document("b", "{\"tenant_id\":\"other\"}"), ACME)
                  .status())
          .isEqualTo(403);
      String query = "{\"embedding\":[1,0],\"where\":{\"$or\":[{\"team_id\":\"x\"}]}}";
      assertThat(server.post(NOTES + "/query", query, ACME).status()).isEqualTo(403);
      assertThat(server.delete(NOTES, ACME).status()).isEqualTo(403);
      assertThat(server.get(NOTES, "X-Team-Id", "t").status()).isEqualTo(400);
    }
  }
}
