package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.server.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The daemon as a child process over one folder, without a model: every write carries its vector.
 *
 * @param folder holds the store, the home with its settings, and what the process printed
 */
record Daemon(Path folder) {
  private static final Pattern LISTENING = Pattern.compile("listening on http://localhost:(\\d+)");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(10);

  static Daemon in(Path folder, boolean compress) throws IOException {
    Path settings = folder.resolve("home/.config/contextd/config.yaml");
    Files.createDirectories(settings.resolveSibling(""));
    Files.writeString(
        settings,
        """
        vectorstore:
          chromem:
            compress: %s
        embeddings:
          provider: none
        """
            .formatted(compress));
    return new Daemon(folder);
  }

  Path root() {
    return folder.resolve("vectorstore");
  }

  /** Starts it and waits until it serves. */
  Running start() throws IOException {
    Path out = folder.resolve("out");
    Files.deleteIfExists(out);
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1", // It lives for seconds.
                "-cp",
                classPath(),
                Main.class.getName(),
                "--http-port",
                "0",
                "--vectorstore-path",
                root().toString()));
    builder.environment().put("HOME", folder.resolve("home").toString());
    builder.redirectOutput(out.toFile());
    builder.redirectError(ProcessBuilder.Redirect.appendTo(folder.resolve("err").toFile()));
    Process process = builder.start();
    try {
      return new Running(process, new Api(awaitPort(process, out)), Files.readString(out));
    } catch (IOException | RuntimeException | AssertionError e) {
      process.destroyForcibly();
      throw e;
    }
  }

  /** Surefire starts tests from a jar that merely points to the class path. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private int awaitPort(Process process, Path out) throws IOException {
    await()
        .atMost(PATIENCE)
        .pollInterval(POLL)
        .until(() -> LISTENING.matcher(Files.readString(out)).find() || !process.isAlive());
    Matcher port = LISTENING.matcher(Files.readString(out));
    assertThat(port.find())
        .as("%s%n%s", Files.readString(out), Files.readString(folder.resolve("err")))
        .isTrue();
    return Integer.parseInt(port.group(1));
  }

  /**
   * The running process; closing it kills whatever still runs.
   *
   * @param said on standard output when it was ready
   */
  record Running(Process process, Api api, String said) implements AutoCloseable {

    /** What it said of the folder when it opened it, for the message of a failure. */
    String opening() {
      return ", opened with\n" + said;
    }

    /** kill -9. */
    void kill() throws InterruptedException {
      process.destroyForcibly();
      awaitExit();
    }

    /** SIGTERM; returns the exit code. */
    int terminate() throws InterruptedException {
      process.destroy();
      awaitExit();
      return process.exitValue();
    }

    private void awaitExit() throws InterruptedException {
      assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("it ends").isTrue();
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }
}
