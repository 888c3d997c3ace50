package dev.contextd.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.Point;
import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.testkit.DaemonProcess;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** The commands on a remote store, with a daemon and without. */
@Isolated // Standard output is the process's.
class RemoteCommandTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();
  private final FakeQdrant qdrant = FakeQdrant.open();

  @AfterEach
  void close() {
    qdrant.close();
  }

  private Run remote(String... words) throws IOException {
    List<String> all = new ArrayList<>();
    all.add("remote");
    all.addAll(List.of(words));
    all.addAll(List.of("--path", root.path().toString(), "--config", config().toString()));
    return Run.of(all.toArray(String[]::new));
  }

  private Path config() throws IOException {
    return Files.writeString(
        root.beside("c.yaml"),
        """
        embeddings: {provider: none}
        vectorstore: {provider: qdrant, fallback: {enabled: true, health_check_interval: 1s}}
        qdrant: {host: 127.0.0.1, port: %d, vector_size: 2, timeout: 5s}
        """
            .formatted(qdrant.port()));
  }

  private void fill() throws IOException {
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      store.upsert(
          "notes",
          List.of(
              NewDocument.of("a", "first", new float[] {1, 0}),
              NewDocument.of("b", "second", new float[] {0, 1})),
          Scope.ALL);
    }
  }

  /** What was in the folder before there was a remote store goes there with the first of them. */
  @Test
  void withoutADaemonAStoreIsSentAndCompared() throws Exception {
    fill();
    Run sync = remote("sync");
    assertThat(sync.code()).as(sync.err()).isZero();
    assertThat(sync.out()).startsWith("up: ").contains("127.0.0.1:" + qdrant.port(), "0 bytes");
    assertThat(sync.err()).contains("no daemon runs", "brought up to date from here");
    assertThat(qdrant.points("notes")).hasSize(2);
    assertThat(remote("verify").out()).contains("both hold the same");
    Point lost = qdrant.points("notes").getFirst();
    qdrant.remove("notes", lost.uuid());
    Run verify = remote("verify");
    assertThat(verify.code()).isEqualTo(1);
    assertThat(verify.out())
        .contains("the two stores differ", "is missing there", "ctxd remote verify --repair");
    assertThat(remote("verify", "--json").json().path("missing").asInt()).isEqualTo(1);
    Run repair = remote("verify", "--repair");
    assertThat(repair.code()).as(repair.err()).isZero();
    assertThat(repair.out()).contains("both hold the same");
    assertThat(qdrant.points("notes")).hasSize(2);
  }

  /** Also when the server is gone since, and nobody runs. */
  @Test
  void whatGaveWayThereIsListedAndComesBack() throws Exception {
    fill();
    assertThat(remote("sync").code()).isZero();
    Point own = qdrant.points("notes").getFirst();
    qdrant.put("notes", new Point(own.uuid(), own.payload(), new float[] {-1, 0.5f}));
    Run repair = remote("verify", "--repair");
    assertThat(repair.out()).contains("next: ctxd remote conflicts");
    qdrant.stop();
    Run list = remote("conflicts");
    assertThat(list.code()).as(list.err()).isZero();
    assertThat(list.err()).contains("is looked at, not changed");
    assertThat(list.out())
        .contains("notes", "replaced by the one here", "KEPT UNTIL", "ctxd trash restore 20");
    JsonNode conflict = remote("conflicts", "--json").json().path("conflicts").path(0);
    Run restore =
        Run.of("trash", "restore", conflict.path("entry").asText(), "--path", root.path() + "");
    assertThat(restore.out()).contains("1 documents came back");
  }

  @Test
  void withNothingThatGaveWayTheListSaysSo() throws Exception {
    fill();
    assertThat(remote("conflicts").out()).contains("nothing gave way there");
  }

  @Test
  void withoutADaemonThereIsNobodyToAskOrToPause() throws Exception {
    fill();
    for (String command : List.of("pause", "resume", "breaker reset")) {
      Run run = remote(command.split(" "));
      assertThat(run.code()).as(command).isEqualTo(1);
      assertThat(run.err()).as(command).contains("no daemon runs, so nothing is sent by itself");
    }
    assertThat(qdrant.calls()).isZero();
  }

  /** Every byte and every time of change below the store's folder. */
  private Map<String, String> everything() throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root.path())) {
      for (Path file : files.toList()) {
        String content =
            Files.isDirectory(file) ? "" : HexFormat.of().formatHex(Files.readAllBytes(file));
        all.put(file.toString(), Files.getLastModifiedTime(file) + " " + content);
      }
    }
    return all;
  }

  @Test
  void withoutADaemonTheFolderTellsWhatWaits() throws Exception {
    fill();
    Run never = remote("status");
    assertThat(never.code()).isEqualTo(1);
    assertThat(never.out()).startsWith("not asked: ").contains("was never sent to it");
    assertThat(remote("sync").code()).isZero();
    Map<String, String> before = everything();
    Run fine = remote("status");
    assertThat(fine.code()).as(fine.out()).isZero();
    assertThat(fine.err()).contains("no daemon runs", "is looked at, not changed");
    assertThat(fine.out())
        .startsWith("not asked: ")
        .contains("127.0.0.1:" + qdrant.port(), "0 bytes, 0 writes", "every write up to 2")
        .contains(root.path().toString());
    assertThat(everything()).isEqualTo(before);
    qdrant.stop();
    put("c", "d");
    JsonNode waiting = remote("status", "--json").json();
    assertThat(waiting.path("mode").asText()).isEqualTo("stopped");
    assertThat(waiting.path("state").asText()).isEqualTo("unknown");
    assertThat(waiting.path("waiting_writes").asLong()).isEqualTo(2);
    assertThat(waiting.path("waiting_bytes").asLong()).isPositive();
    assertThat(waiting.path("oldest").isNull()).isFalse();
    assertThat(waiting.path("acknowledged").asLong()).isEqualTo(2);
    assertThat(waiting.path("gap").isNull()).isTrue();
    assertThat(remote("status").out()).contains("next: ctxd remote sync");
    long calls = qdrant.calls();
    Path state = root.path().resolve(".contextd/outbox/state");
    Files.write(state, new byte[] {1, 2, 3});
    Map<String, String> damaged = everything();
    Run lost = remote("status");
    assertThat(lost.code()).isEqualTo(1);
    assertThat(lost.out()).contains("is not known any more", "not known");
    assertThat(everything()).isEqualTo(damaged);
    assertThat(qdrant.calls()).isEqualTo(calls);
  }

  /** A write each, that nobody sends. */
  private void put(String... ids) throws IOException {
    StoreOptions options =
        StoreOptions.defaults().withKeeper(KeeperOptions.defaults().withOutbox(true));
    try (VectorStore store = VectorStore.open(root.path(), options)) {
      for (String id : ids) {
        store.upsert("notes", List.of(NewDocument.of(id, id, new float[] {1, 0})), Scope.ALL);
      }
    }
  }

  @Test
  void calledDirectlyTheServerIsAskedWithADaemonOrWithout() throws Exception {
    fill();
    Path config =
        Files.writeString(
            root.beside("direct.yaml"),
            """
            embeddings: {provider: none}
            vectorstore: {provider: qdrant}
            qdrant: {host: 127.0.0.1, port: %d, vector_size: 2, timeout: 5s}
            """
                .formatted(qdrant.port()));
    String[] status = {
      "remote", "status", "--path", root.path().toString(), "--config", config.toString()
    };
    Run up = Run.of(status);
    assertThat(up.code()).as(up.err()).isZero();
    assertThat(up.out()).startsWith("up: ").contains("it is called for every document");
    try (DaemonProcess daemon =
        DaemonProcess.start(
            root.beside("daemon"),
            "--http-port=0",
            "--config=" + config,
            "--vectorstore-path=" + root.path())) {
      assertThat(daemon.said()).contains("called for every document");
      assertThat(Run.of(status).out()).startsWith("up: ");
      Run stats = Run.of("stats", "--path", root.path().toString(), "--config", config.toString());
      assertThat(stats.out()).contains("counted on the remote store", "0 collections");
      daemon.kill();
    }
    qdrant.stop();
    Run down = Run.of(status);
    assertThat(down.code()).isEqualTo(1);
    assertThat(down.out())
        .as(down.err())
        .startsWith("down: ")
        .contains("until then every call fails");
  }

  @Test
  void aDaemonIsAskedPausedAndResumed() throws Exception {
    fill();
    try (DaemonProcess daemon =
        DaemonProcess.start(
            root.beside("daemon"),
            "--http-port=0",
            "--config=" + config(),
            "--vectorstore-path=" + root.path())) {
      assertThat(daemon.said()).contains("qdrant at 127.0.0.1:", "brought up to date from here");
      assertThat(remote("sync").code()).isZero();
      Run status = remote("status");
      assertThat(status.code()).as(status.out()).isZero();
      assertThat(status.out()).startsWith("up: ").contains("breaker", "closed", "3 shipped");
      assertThat(status.err()).contains("daemon at http://localhost:" + daemon.port());
      Run pause = remote("pause");
      assertThat(pause.out()).contains("paused", "ctxd remote resume");
      assertThat(pause.err()).contains("stops the shipping");
      Run refused = remote("sync");
      assertThat(refused.code()).isEqualTo(1);
      assertThat(refused.err()).contains("shipping is paused");
      assertThat(remote("resume", "--json").json().path("paused").asBoolean(true)).isFalse();
      qdrant.stop();
      await().atMost(Duration.ofSeconds(30)).until(() -> remote("status").code() == 1);
      Run down = remote("status");
      assertThat(down.out()).startsWith("down: ").contains("next: see that it runs");
      assertThat(remote("sync").err()).contains("qdrant.host");
      assertThat(remote("breaker", "reset").code()).isZero();
    }
  }

  @Test
  void withoutARemoteStoreTheSettingsAreNamed() throws Exception {
    fill();
    Path config = Files.writeString(root.beside("plain.yaml"), "embeddings: {provider: none}\n");
    Run run =
        Run.of("remote", "sync", "--path", root.path().toString(), "--config", config.toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("vectorstore.provider", "vectorstore.fallback.enabled");
  }

  /** Before documents go to the server by themselves. */
  @Test
  void aStoreMovesToAServerAndBack() throws Exception {
    fill();
    Path config =
        Files.writeString(
            root.beside("m.yaml"),
            "embeddings: {provider: none}\nqdrant: {host: 127.0.0.1, port: %d}\n"
                .formatted(qdrant.port()));
    Run there = migrate("--to", root.path(), config);
    assertThat(there.code()).as(there.err()).isZero();
    assertThat(there.out()).contains("both sides hold the same documents", "checksum: ");
    assertThat(there.err()).contains("writes what is here to the Qdrant server");
    assertThat(qdrant.points("notes")).hasSize(2);
    Path back = root.beside("back");
    Run here = migrate("--from", back, config);
    assertThat(here.code()).as(here.err() + here.out()).isZero();
    assertThat(Run.of("stats", "--path", back.toString(), "--config", config.toString()).out())
        .contains("1 collections, 2 documents");
    assertThat(StoreRoot.check(back).damage()).isEmpty();
    qdrant.stop();
    Run away = migrate("--to", root.path(), config);
    assertThat(away.code()).isEqualTo(1);
    assertThat(away.err()).contains("127.0.0.1:" + qdrant.port());
  }

  private static Run migrate(String way, Path store, Path config) {
    return Run.of(
        "migrate", way, "qdrant", "--path", store.toString(), "--config", config.toString());
  }
}
