package dev.contextd.crash;

import dev.contextd.testkit.DaemonProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The daemon as a child process over one folder, without a model: every write carries its vector.
 *
 * @param folder holds the store, the home with its settings, and what the process printed
 */
record Daemon(Path folder) {
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

  /**
   * In front of a Qdrant server.
   *
   * @param mirror whether it is brought up to date from here; else it holds the documents alone
   */
  static Daemon before(Path folder, int port, boolean mirror) throws IOException {
    Path settings = folder.resolve("home/.config/contextd/config.yaml");
    Files.createDirectories(settings.resolveSibling(""));
    Files.writeString(
        settings,
        """
        vectorstore:
          provider: qdrant
          fallback:
            enabled: true
            health_check_interval: 1s
          remote:
            mirror: %s
        qdrant:
          host: 127.0.0.1
          port: %d
          timeout: 1s
        embeddings:
          provider: none
        """
            .formatted(mirror, port));
    return new Daemon(folder);
  }

  Path root() {
    return folder.resolve("vectorstore");
  }

  /** Starts it and waits until it serves. */
  Running start() throws IOException {
    DaemonProcess process =
        DaemonProcess.start(folder, "--http-port", "0", "--vectorstore-path", root().toString());
    return new Running(process, new Api(process.port()));
  }

  /** The running process and its API; closing it kills whatever still runs. */
  record Running(DaemonProcess process, Api api) implements AutoCloseable {

    /** What it said of the folder when it opened it, for the message of a failure. */
    String opening() {
      return ", opened with\n" + process.said();
    }

    /** kill -9. */
    void kill() throws InterruptedException {
      process.kill();
    }

    /** SIGTERM; returns the exit code. */
    int terminate() throws InterruptedException {
      return process.terminate();
    }

    @Override
    public void close() {
      process.close();
    }
  }
}
