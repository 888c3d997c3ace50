package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bodies that are too large, too slow, or not the JSON that is asked for. */
class BodiesTest extends NotesApi {
  @Test
  void tooManyDocumentsAndTooLargeBodiesAre413() throws Exception {
    String documents =
        IntStream.range(0, 1_001)
            .mapToObj(i -> "{\"embedding\":[1]}")
            .collect(Collectors.joining(","));
    RunningServer.Answer many =
        server.post(NOTES + "/documents", "{\"documents\":[" + documents + "]}");
    assertThat(many.status()).isEqualTo(413);
    String declared =
        server.raw(
            String.join(
                "\r\n",
                "POST /api/v1/collections/n/documents HTTP/1.1",
                "Host: localhost",
                "Content-Type: application/json",
                "Content-Length: 33554433",
                "Connection: close",
                "",
                "{"));
    assertThat(declared).startsWith("HTTP/1.1 413").contains("application/problem+json");
  }

  @Test
  void pathsAndBodiesThatAreNotUtf8AreRefused() throws Exception {
    addThree();
    String end = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (String bad : List.of("%ff", "%c0%80", "%u0041", "%zz", "%e2%82")) {
      assertThat(server.raw("DELETE " + NOTES + "/documents/" + bad + end))
          .as(bad)
          .startsWith("HTTP/1.1 400")
          .contains("application/problem+json");
    }
    // The server puts U+FFFD in place of a bad byte that is not percent-encoded.
    assertThat(server.raw("DELETE " + NOTES + "/documents/\u00ff" + end))
        .startsWith("HTTP/1.1 400");
    for (String bytes : List.of("\u00c0\u0080", "\u00ff", "\u00ed\u00a0\u0080")) {
      String body = "{\"documents\":[{\"id\":\"" + bytes + "\",\"embedding\":[1,1]}]}";
      assertThat(post(body, "application/json"))
          .startsWith("HTTP/1.1 400")
          .contains("not valid UTF-8");
    }
  }

  @Test
  void otherMediaTypesCharsetsAndEncodingsAreRefused() throws Exception {
    String body = "{\"documents\":[{\"id\":\"x\",\"embedding\":[1,1]}]}";
    for (String type :
        List.of(
            "application/jsonp",
            "text/json",
            "application/json; charset=iso-8859-1",
            "application/json\r\nContent-Encoding: gzip")) {
      assertThat(post(body, type)).as(type).startsWith("HTTP/1.1 415");
    }
    assertThat(post(body, "Application/JSON; charset=UTF-8")).startsWith("HTTP/1.1 201");
  }

  /** One of them held all memory for bodies before its first byte came, where the heap is small. */
  @Test
  void aCallWithASmallBodyWaitsForNoSlowUpload() throws Exception {
    addThree();
    List<Socket> slow = new ArrayList<>();
    try {
      long wanted = Runtime.getRuntime().maxMemory() / Bodies.MAX_BYTES;
      for (long i = 0; i < wanted; i++) {
        Socket socket = new Socket("localhost", server.server().port());
        slow.add(socket);
        socket
            .getOutputStream()
            .write(
                String.join(
                        "\r\n",
                        "POST " + NOTES + "/documents HTTP/1.1",
                        "Host: localhost",
                        "Content-Type: application/json",
                        "Transfer-Encoding: chunked",
                        "",
                        "1",
                        "{",
                        "")
                    .getBytes(StandardCharsets.US_ASCII));
      }
      assertThat(server.post(NOTES + "/query", "{\"embedding\":[5,0]}").status()).isEqualTo(200);
      String large = " ".repeat(1 << 20) + "{\"documents\":[{\"id\":\"l\",\"embedding\":[1,1]}]}";
      assertThat(server.post(NOTES + "/documents", large).status()).isEqualTo(201);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"documents\":[]} {}|more follows the JSON value",
        "[]|the body: expected an object",
        "{\"documents\":{}}|documents: expected a list",
        "{\"documents\":[{\"id\":1}]}|documents[0].id: expected a string",
        "{\"documents\":[{\"metadata\":{\"k\":{}}}]}|documents[0].metadata.k: expected a string",
        "{\"documents\":[{\"embedding\":\"AACAPw==\"}]}|documents[0].embedding: expected a list of numbers"
      })
  void whatIsWrongInABodyIsSaidInTermsOfJson(String body, String expected) {
    RunningServer.Answer answer = server.post(NOTES + "/documents", body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("detail").asText()).contains(expected).doesNotContain("java");
  }

  private String post(String latin1, String type) throws Exception {
    return server.raw(
        String.join(
            "\r\n",
            "POST " + NOTES + "/documents HTTP/1.1",
            "Host: localhost",
            "Content-Type: " + type,
            "Content-Length: " + latin1.length(),
            "Connection: close",
            "",
            latin1));
  }

  /** It sends all of it before it reads, and met a connection that was reset. */
  @ParameterizedTest
  @CsvSource({"notes, true, 413", "notes, false, 413", "missing/documents, true, 404"})
  void aClientThatSendsAllOfALargeBodyFirstReadsItsAnswer(
      String path, boolean isDeclared, int status) throws Exception {
    addThree();
    byte[] chunk = " ".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
    int chunks = 40;
    String head =
        String.join(
            "\r\n",
            "POST /api/v1/collections/"
                + path
                + (status == 413 ? "/documents" : "/get")
                + " HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/json",
            isDeclared ? "Content-Length: " + chunks * chunk.length : "Transfer-Encoding: chunked",
            "",
            "");
    try (Socket socket = new Socket("localhost", server.server().port())) {
      OutputStream out = socket.getOutputStream();
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      for (int i = 0; i < chunks; i++) {
        out.write(isDeclared ? new byte[0] : "100000\r\n".getBytes(StandardCharsets.US_ASCII));
        out.write(chunk);
        out.write(isDeclared ? new byte[0] : "\r\n".getBytes(StandardCharsets.US_ASCII));
      }
      out.write(isDeclared ? new byte[0] : "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer)
          .startsWith("HTTP/1.1 " + status)
          .contains("Connection: close", "application/problem+json")
          .endsWith("}");
    }
  }
}
