package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may call, and how everything that is refused looks. */
class GatekeeperTest {
  private static final String TOKEN = "a-token-of-sufficient-length";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private static String get(String host, String more) {
    return "GET /livez HTTP/1.1\r\nHost: " + host + "\r\n" + more + "Connection: close\r\n\r\n";
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "LOCALHOST:1", "127.0.0.1:9090", "[::1]:9090"})
  void thisMachinesOwnNamesMayBeCalled(String host) throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      assertThat(server.raw(get(host, ""))).startsWith("HTTP/1.1 200");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9090"})
  void aForeignHostIs421(String host) throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      assertThat(server.raw(get(host, ""))).startsWith("HTTP/1.1 421").contains("misdirected_host");
    }
  }

  @Test
  void aForeignOriginIs403AndOurOwnIsNot() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String host = "localhost:" + server.server().port();
      for (String origin : new String[] {"https://evil.example", "null", "http://localhost:1"}) {
        assertThat(server.raw(get(host, "Origin: " + origin + "\r\n")))
            .as(origin)
            .startsWith("HTTP/1.1 403")
            .contains("foreign_origin");
      }
      assertThat(server.raw(get(host, "Origin: http://" + host + "\r\n")))
          .startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void whereATokenIsSetEveryCallNeedsIt() throws Exception {
    try (RunningServer server = RunningServer.withToken(root.path(), TOKEN)) {
      for (String path : new String[] {"/livez", "/health", "/api/v1/collections", "/nowhere"}) {
        RunningServer.Answer without = server.get(path);
        assertThat(without.status()).as(path).isEqualTo(401);
        assertThat(without.raw().headers().firstValue("WWW-Authenticate")).contains("Bearer");
        assertThat(server.get(path, "Authorization", "Bearer " + TOKEN + "x").status())
            .isEqualTo(401);
        assertThat(server.get(path, "Authorization", "Basic " + TOKEN).status()).isEqualTo(401);
      }
      assertThat(server.get("/livez", "Authorization", "Bearer " + TOKEN).status()).isEqualTo(200);
      assertThat(server.get("/livez", "Authorization", "bearer " + TOKEN).status()).isEqualTo(200);
    }
  }

  @Test
  void everyRefusalIsAProblemWithACodeAndTheNextStep() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      RunningServer.Answer missing = server.get("/api/v1/collections/nope");
      assertThat(missing.status()).isEqualTo(404);
      assertThat(missing.contentType()).isEqualTo("application/problem+json");
      for (String field :
          new String[] {"type", "title", "status", "detail", "instance", "code", "next"}) {
        assertThat(missing.json().has(field)).as(field).isTrue();
      }
      assertThat(server.get("/nowhere").code()).isEqualTo("not_found");
      assertThat(server.send("PUT", "/health", "{}").code()).isEqualTo("method_not_allowed");
    }
  }

  @Test
  void whatTheHttpServerItselfRefusesIsAProblemToo() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String end = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      assertThat(server.raw("GET /%00" + end)).contains("400", "application/problem+json");
      assertThat(server.raw("GET /" + "a".repeat(40_000) + end))
          .contains("414", "application/problem+json", "uri_too_long");
      assertThat(
              server.raw(
                  "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "
                      + "a".repeat(40_000)
                      + "\r\n\r\n"))
          .contains("431", "application/problem+json");
      assertThat(server.raw("GARBAGE\r\n\r\n")).contains("400", "application/problem+json");
      assertThat(
              server.raw(
                  "POST /api/v1/collections HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain"
                      + "\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"))
          .contains("415", "unsupported_media_type");
    }
  }

  @Test
  void theStatusInTheBodyIsThatOfTheAnswer() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      assertThat(server.raw("GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n"))
          .startsWith("HTTP/1.1 505")
          .contains("\"status\":505");
      RunningServer.Answer put = server.send("PUT", "/health", "{}");
      assertThat(put.raw().headers().firstValue("Allow").orElse("")).contains("GET");
    }
  }

  @Test
  void theConfiguredHostIsOnesOwn() {
    Gatekeeper gatekeeper = new Gatekeeper("127.0.0.2", true, java.util.Optional.empty());
    assertThat(gatekeeper.owns("127.0.0.2:9090")).isTrue();
    assertThat(gatekeeper.owns("localhost")).isTrue();
    assertThat(gatekeeper.owns("127.0.0.3")).isFalse();
  }
}
