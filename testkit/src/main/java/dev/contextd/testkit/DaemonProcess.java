package dev.contextd.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The daemon as a child process; closing it kills whatever still runs.
 *
 * @param port it listens on
 * @param said on standard output when it was ready
 */
public record DaemonProcess(Process process, int port, String said) implements AutoCloseable {
  private static final String MAIN = "dev.contextd.server.Main"; // That room is right of this one.
  private static final Pattern LISTENING = Pattern.compile("listening on http://localhost:(\\d+)");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(10);

  /** What the launchers give Java. */
  public static final List<String> JAVA_FLAGS =
      List.of(
          "--add-exports",
          "java.base/jdk.internal.module=ALL-UNNAMED",
          "--enable-native-access=ALL-UNNAMED");

  /**
   * Starts it and waits until it serves.
   *
   * @param folder holds its {@code home}, and {@code out} and {@code err} with what it printed
   */
  public static DaemonProcess start(Path folder, String... arguments) throws IOException {
    Files.createDirectories(folder.resolve("home"));
    Path out = folder.resolve("out");
    Files.deleteIfExists(out);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JAVA_FLAGS);
    command.add("-Xmx256m");
    command.add("-XX:TieredStopAtLevel=1"); // It lives for seconds.
    command.addAll(List.of("-cp", classPath(), MAIN));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HOME", folder.resolve("home").toString());
    builder.redirectOutput(out.toFile());
    Path err = folder.resolve("err");
    builder.redirectError(ProcessBuilder.Redirect.appendTo(err.toFile()));
    Process process = builder.start();
    try {
      await()
          .atMost(PATIENCE)
          .pollInterval(POLL)
          .until(() -> LISTENING.matcher(Files.readString(out)).find() || !process.isAlive());
      String said = Files.readString(out);
      Matcher port = LISTENING.matcher(said);
      assertThat(port.find()).as("%s%n%s", said, Files.readString(err)).isTrue();
      return new DaemonProcess(process, Integer.parseInt(port.group(1)), said);
    } catch (IOException | RuntimeException | AssertionError e) {
      process.destroyForcibly();
      throw e;
    }
  }

  /** Surefire starts tests from a jar that merely points to the class path. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** kill -9. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    awaitExit();
  }

  /** SIGTERM; returns the exit code. */
  public int terminate() throws InterruptedException {
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
