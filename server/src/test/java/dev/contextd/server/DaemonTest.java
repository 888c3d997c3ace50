package dev.contextd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.testkit.DaemonProcess;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The daemon as a process: what it prints, how it ends, with which code. */
class DaemonTest {
  private static final Pattern LISTENING = Pattern.compile("listening on http://localhost:(\\d+)");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final StoreRoot root = new StoreRoot();
  private final HttpClient client = HttpClient.newHttpClient();

  private Process start(String... arguments) throws IOException {
    return startInto("", arguments);
  }

  /** Starts a daemon whose output goes to files with a prefix of its own. */
  private Process startInto(String prefix, String... arguments) throws IOException {
    Files.createDirectories(root.beside("home"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(DaemonProcess.JAVA_FLAGS);
    command.add("-Xmx256m");
    command.add("-XX:TieredStopAtLevel=1"); // It lives for seconds.
    command.addAll(List.of("-cp", classPath(), Main.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HOME", root.beside("home").toString());
    builder.redirectOutput(root.beside(prefix + "out").toFile());
    builder.redirectError(root.beside(prefix + "err").toFile());
    return builder.start();
  }

  /** Surefire starts tests from a jar that merely points to the class path. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private String out() throws IOException {
    return Files.readString(root.beside("out"));
  }

  private String err() throws IOException {
    return err("");
  }

  private String err(String prefix) throws IOException {
    return Files.readString(root.beside(prefix + "err")).strip();
  }

  private int awaitPort(Process process) throws IOException {
    await().atMost(PATIENCE).until(() -> LISTENING.matcher(out()).find() || !process.isAlive());
    Matcher port = LISTENING.matcher(out());
    assertThat(port.find()).as(out() + err()).isTrue();
    return Integer.parseInt(port.group(1));
  }

  private Process startOverRoot() throws IOException {
    return start("--http-port", "0", "--vectorstore-path", root.path().toString());
  }

  private int store(int port, String id) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("http://localhost:" + port + "/api/v1/collections/notes/documents"))
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"documents\":[{\"id\":\"" + id + "\",\"embedding\":[1,0]}]}"))
            .build();
    return client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
  }

  private static int stop(Process process) throws InterruptedException {
    process.destroy(); // SIGTERM
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private static int exitOf(Process process) throws InterruptedException {
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  @Test
  void startsOverAFolderOfChromemGoSaysWhatItOpenedAndLeavesOnASignal() throws Exception {
    root.copyOf("chromem-go/gzip");
    Process process = start("-http-port", "0", "--vectorstore-path", root.path().toString());
    int port = awaitPort(process);
    assertThat(out()).contains("3 collections, 46 documents").contains(root.path().toString());
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/health")).build();
    assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
        .isEqualTo(200);
    assertThat(stop(process)).isZero();
    assertThat(err()).contains("stopped");
  }

  @Test
  void theDefaultFolderIsCreatedAndContextdsConfigurationIsRead() throws Exception {
    Path config = root.beside("home").resolve(".config/contextd/config.yaml");
    Files.createDirectories(config.getParent());
    Files.copy(Fixtures.path("contextd/config.yaml"), config);
    Process process = start("--http-port=0");
    awaitPort(process);
    Path store = root.beside("home").resolve(".config/contextd/vectorstore");
    assertThat(out()).contains("opened " + store + ": 0 collections, 0 documents");
    assertThat(store).isDirectory();
    assertThat(Files.getPosixFilePermissions(store)).hasSize(3);
    assertThat(err()).contains("passed over").contains("observability");
    assertThat(stop(process)).isZero();
  }

  @Test
  void aSignalLetsTheWriteInHandFinish() throws Exception {
    Process process = start("--http-port", "0", "--vectorstore-path", root.path().toString());
    int port = awaitPort(process);
    String documents =
        IntStream.range(0, 1_000)
            .mapToObj(i -> "{\"id\":\"d" + i + "\",\"embedding\":[1,2,3]}")
            .collect(Collectors.joining(",", "{\"documents\":[", "]}"));
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("http://localhost:" + port + "/api/v1/collections/n/documents"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(documents))
            .build();
    CompletableFuture<HttpResponse<String>> answer =
        client.sendAsync(request, HttpResponse.BodyHandlers.ofString());
    await().atMost(PATIENCE).until(() -> isWriting(root.path()) || answer.isDone());
    assertThat(stop(process)).isZero();
    assertThat(answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).statusCode()).isEqualTo(201);
    assertThat(StoreRoot.check(root.path()).folders().getFirst().served()).isEqualTo(1_000);
  }

  private static boolean isWriting(Path root) throws IOException {
    try (var folders = Files.list(root)) {
      for (Path folder :
          folders.filter(path -> !path.getFileName().toString().startsWith(".")).toList()) {
        try (var files = Files.list(folder)) {
          if (files.findAny().isPresent()) {
            return true;
          }
        }
      }
    }
    return false;
  }

  @Test
  void aQuarantinedCollectionIsAnnounced() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve("e9f85bf6/00000000.gob"));
    Path config = Files.writeString(root.beside("c.yaml"), "vectorstore: {recovery: quarantine}\n");
    Process process =
        start("--http-port=0", "--config=" + config, "--vectorstore-path=" + root.path());
    int port = awaitPort(process);
    assertThat(out())
        .contains("2 collections, 40 documents")
        .contains("quarantined e9f85bf6/ as .quarantine/e9f85bf6");
    assertThat(get(port, "/metrics"))
        .contains("contextd_vectorstore_corrupt_collections_detected_total 1.0")
        .contains("contextd_vectorstore_quarantine_operations_total{result=\"success\"} 1.0")
        .contains("contextd_vectorstore_collections_total{status=\"corrupt\"} 1.0");
    assertThat(stop(process)).isZero();
  }

  @Test
  void aSecondDaemonIsToldInOneLineWhoOwnsTheStoreAndWhatToDo() throws Exception {
    Process first = startOverRoot();
    int port = awaitPort(first);
    Process second =
        startInto("second-", "--http-port", "0", "--vectorstore-path", root.path().toString());
    assertThat(exitOf(second)).isEqualTo(1);
    assertThat(err("second-").lines()).hasSize(1);
    assertThat(err("second-"))
        .matches(
            Pattern.quote(
                    "contextd: the store %s is open in process %d since "
                        .formatted(root.path(), first.pid()))
                + "[-0-9T:.]+Z"
                + Pattern.quote(
                    ", which listens on http://localhost:%d; use that one, or stop it first"
                        .formatted(port)));
    assertThat(store(port, "a")).isEqualTo(201);
    assertThat(stop(first)).isZero();
  }

  @Test
  void theLockOfAKilledDaemonIsNoObstacleAndNothingAcknowledgedIsLost() throws Exception {
    Process killed = startOverRoot();
    assertThat(store(awaitPort(killed), "a")).isEqualTo(201);
    killed.destroyForcibly(); // SIGKILL
    assertThat(exitOf(killed)).isNotZero();
    Process next = startOverRoot();
    awaitPort(next);
    assertThat(out()).contains("1 collection, 1 document");
    assertThat(stop(next)).isZero();
  }

  /** Another folder lies where the store was: nothing may be written into it. */
  @Test
  void aJournalThatCannotBeEmptiedExitsWithOneAndTheNextStartGoesOnFromIt() throws Exception {
    Process first = startOverRoot();
    assertThat(store(awaitPort(first), "a")).isEqualTo(201);
    Files.move(root.path(), root.beside("moved"));
    Files.createDirectory(root.path());
    assertThat(stop(first)).isEqualTo(1);
    assertThat(err())
        .containsPattern("(?m)^contextd: the journal could not be emptied; nothing is lost");
    assertThat(root.path()).isEmptyDirectory();
    Files.delete(root.path());
    Files.move(root.beside("moved"), root.path());
    Process next = startOverRoot();
    awaitPort(next);
    assertThat(out()).contains("1 collection, 1 document");
    assertThat(stop(next)).isZero();
  }

  @Test
  void aCallThatNeverEndsLeavesTheStoreHalfOfTheTime() throws Exception {
    Path config = Files.writeString(root.beside("c.yaml"), "server: {shutdown_timeout: 10s}\n");
    Process process =
        start("--http-port=0", "--config=" + config, "--vectorstore-path=" + root.path());
    int port = awaitPort(process);
    assertThat(store(port, "a")).isEqualTo(201);
    try (Socket hanging = new Socket("localhost", port)) {
      String begin =
          String.join(
              "\r\n",
              "POST /api/v1/collections HTTP/1.1",
              "Host: localhost",
              "Content-Type: application/json",
              "Content-Length: 100",
              "Expect: 100-continue",
              "",
              "");
      hanging.getOutputStream().write(begin.getBytes(StandardCharsets.US_ASCII));
      hanging.getOutputStream().flush();
      // Only a call that is in hand asks for its body.
      byte[] interim = hanging.getInputStream().readNBytes("HTTP/1.1 100 ".length());
      assertThat(new String(interim, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 100 ");
      hanging.getOutputStream().write('{');
      hanging.getOutputStream().flush();
      long start = System.nanoTime();
      assertThat(stop(process)).as(err()).isZero();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(9));
    }
    assertThat(err()).contains("stopping with calls in hand after 5 s");
    assertThat(StoreRoot.check(root.path()).folders().getFirst().served()).isEqualTo(1);
  }

  @Test
  void whatIsMendedIsAnnounced() throws Exception {
    root.copyOf("chromem-go/plain");
    Process first = startOverRoot();
    awaitPort(first);
    assertThat(stop(first)).isZero();
    Files.delete(root.path().resolve("e9f85bf6/00000000.gob"));
    Process next = startOverRoot();
    awaitPort(next);
    assertThat(out())
        .contains("3 collections, 46 documents")
        .containsPattern("(?m)^mended e9f85bf6/: The metadata file .* is gone; .*\\.$");
    assertThat(stop(next)).isZero();
    assertThat(root.path().resolve("e9f85bf6/00000000.gob")).exists();
  }

  @Test
  void aMetadataFileDeletedUnderTheDaemonIsBack() throws Exception {
    root.copyOf("chromem-go/plain");
    Process process = startOverRoot();
    int port = awaitPort(process);
    Path metadata = root.path().resolve("e9f85bf6/00000000.gob");
    Files.delete(metadata);
    await().atMost(PATIENCE).until(() -> Files.exists(metadata));
    await()
        .atMost(PATIENCE)
        .until(() -> get(port, "/metrics").contains("contextd_repairs_total{source=\"memory\"} 1"));
    assertThat(get(port, "/health")).contains("\"status\":\"ok\"");
    assertThat(stop(process)).isZero();
  }

  private String get(int port, String path) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path)).build();
    return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  @Test
  void aDamagedStoreIsNotServedWhereTheSettingsSaySo() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve("e9f85bf6/00000000.gob"));
    Path config =
        Files.writeString(
            root.beside("c.yaml"),
            "{health: {fail_on_corruption: true}, vectorstore: {recovery: quarantine}}\n");
    for (int i = 0; i < 2; i++) {
      Process process =
          start("--http-port=0", "--config=" + config, "--vectorstore-path=" + root.path());
      assertThat(exitOf(process)).isEqualTo(1);
      assertThat(err())
          .containsPattern(
              "(?m)^contextd: not started, because health.fail_on_corruption is true and e9f85bf6"
                  + " is damaged: .* missing beside 6 documents.*; run: ctxd repair --dry-run --path .*; .*$")
          .contains("health: 2 healthy, 1 corrupt, 0 empty collections; 1 things in quarantine");
    }
    Process served = startOverRoot();
    awaitPort(served);
    assertThat(err()).contains("health: 2 healthy, 1 corrupt");
    assertThat(stop(served)).isZero();
  }

  @Test
  void whateverDegradesTheStoreEndsTheStartWhereTheSettingsSaySo() throws Exception {
    root.copyOf("chromem-go/plain");
    Process first = startOverRoot();
    awaitPort(first);
    assertThat(stop(first)).isZero();
    try (var files = Files.list(root.path().resolve("a1ef3a3d"))) {
      for (Path file : files.filter(f -> !f.endsWith("00000000.gob")).limit(15).toList()) {
        Files.delete(file);
      }
    }
    Path config = Files.writeString(root.beside("c.yaml"), "health: {fail_on_degraded: true}\n");
    Process process =
        start("--http-port=0", "--config=" + config, "--vectorstore-path=" + root.path());
    assertThat(exitOf(process)).isEqualTo(1);
    assertThat(err()).contains("health.fail_on_degraded is true and 15 damaged things");
  }

  @Test
  void aWrongSettingIsOneLineAndExitsWithTwo() throws Exception {
    Path config = Files.writeString(root.beside("bad.yaml"), "server:\n  htp_port: 1\n");
    Process process = start("--config", config.toString());
    assertThat(exitOf(process)).isEqualTo(2);
    assertThat(err().lines()).hasSize(1);
    assertThat(err()).contains("bad.yaml:2: nobody knows the key server.htp_port");
    assertThat(exitOf(start("--no-such-flag"))).isEqualTo(2);
    assertThat(exitOf(start("--http-port", "99999"))).isEqualTo(2);
  }

  @Test
  void aTakenPortExitsWithOneAndTouchesNoStore() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("localhost"))) {
      Process process =
          start(
              "--http-port",
              Integer.toString(taken.getLocalPort()),
              "--vectorstore-path",
              root.path().toString());
      assertThat(exitOf(process)).isEqualTo(1);
      assertThat(err()).contains("cannot listen on").contains("--http-port");
      assertThat(root.path()).doesNotExist();
    }
  }

  @Test
  void aRootThatIsAFileExitsWithOne() throws Exception {
    Path file = Files.writeString(root.beside("file"), "x");
    Process process = start("--http-port", "0", "--vectorstore-path", file.toString());
    assertThat(exitOf(process)).isEqualTo(1);
    assertThat(err()).contains("cannot open the store in " + file);
  }

  @Test
  void versionAndHelpExitWithZero() throws Exception {
    assertThat(exitOf(start("--version"))).isZero();
    assertThat(out()).startsWith("contextd ");
    assertThat(exitOf(start("--help"))).isZero();
    assertThat(out()).contains("--vectorstore-path", "VECTORSTORE_PATH", "Exit codes");
  }
}
