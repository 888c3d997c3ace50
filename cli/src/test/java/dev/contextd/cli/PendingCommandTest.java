package dev.contextd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.Point;
import dev.contextd.testkit.DaemonProcess;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code ctxd} where the Qdrant server holds the documents alone: with a daemon, and without. */
class PendingCommandTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();
  private final FakeQdrant qdrant = FakeQdrant.open();

  @AfterEach
  void close() {
    qdrant.close();
  }

  private Path config(boolean mirror) throws IOException {
    return Files.writeString(
        root.beside("mirror-" + mirror + ".yaml"),
        """
        embeddings: {provider: none}
        vectorstore:
          provider: qdrant
          fallback: {enabled: true, health_check_interval: 1s}
          remote: {mirror: %s}
        qdrant: {host: 127.0.0.1, port: %d, vector_size: 2, timeout: 1s}
        """
            .formatted(mirror, qdrant.port()));
  }

  private Run ctxd(boolean mirror, String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--path", root.path().toString(), "--config", config(mirror).toString()));
    return Run.of(all.toArray(String[]::new));
  }

  private DaemonProcess daemon() throws IOException {
    return DaemonProcess.start(
        root.beside("daemon"),
        "--http-port=0",
        "--config=" + config(false),
        "--vectorstore-path=" + root.path());
  }

  private static void put(DaemonProcess daemon, String id) throws Exception {
    String body =
        "{\"documents\":[{\"id\":\"%s\",\"content\":\"x\",\"embedding\":[1,0]}]}".formatted(id);
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create(
                    "http://localhost:%d/api/v1/collections/notes/documents"
                        .formatted(daemon.port())))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    }
  }

  @Test
  void whatADaemonLeftIsSentWithoutOneAndComparedAsFarBackAsItIsKnown() throws Exception {
    try (DaemonProcess daemon = daemon()) {
      assertThat(daemon.said()).contains("which holds the documents alone");
      put(daemon, "a");
      assertThat(ctxd(false, "remote", "sync").code()).isZero();
      assertThat(ctxd(false, "remote", "pause").code()).isZero();
      put(daemon, "b");
      Run refused = ctxd(false, "backup", "create");
      assertThat(refused.code()).isEqualTo(1);
      assertThat(refused.err()).contains("ctxd migrate --from qdrant");
      daemon.kill();
    }
    assertThat(qdrant.points("notes")).hasSize(1);
    Run status = ctxd(false, "remote", "status");
    assertThat(status.out()).contains("1 write");
    Run other = ctxd(true, "remote", "sync");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err())
        .contains("writes wait in", "vectorstore.remote.mirror: false", "ctxd remote sync");
    Run export = ctxd(false, "export", root.beside("export.gob").toString());
    assertThat(export.code()).isEqualTo(1);
    assertThat(export.err()).contains("ctxd migrate --from qdrant");
    Run sync = ctxd(false, "remote", "sync");
    assertThat(sync.code()).as(sync.err()).isZero();
    assertThat(sync.out()).contains("0 bytes");
    assertThat(qdrant.points("notes")).hasSize(2);
    Point lost = qdrant.points("notes").getFirst();
    qdrant.remove("notes", lost.uuid());
    Run verify = ctxd(false, "remote", "verify");
    assertThat(verify.code()).isEqualTo(1);
    assertThat(verify.out())
        .contains("is missing there", "nothing that was written before", "can be known here");
    assertThat(ctxd(false, "remote", "verify", "--repair").code()).isZero();
    assertThat(qdrant.points("notes")).hasSize(2);
    assertThat(ctxd(true, "remote", "sync").code()).isZero();
  }
}
