package dev.contextd.server;

import dev.contextd.server.settings.Settings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A short run of the daemon over a store of its own, from which the build makes the cache that lets
 * later starts skip loading and linking classes (JEP 514).
 */
final class Training {
  private static final String DOCUMENT =
      "{\"documents\":[{\"id\":\"a\",\"content\":\"x\",\"embedding\":[1,0,0],\"metadata\":{\"k\":\"v\"}}]}";
  private static final String QUERY = "{\"embedding\":[1,0,0],\"limit\":1,\"where\":{\"k\":\"v\"}}";

  private Training() {}

  public static void main(String[] args) throws Exception {
    Path root = Files.createTempDirectory("contextd-training-");
    try {
      Arguments arguments =
          Arguments.parse(
              List.of("--http-port=0", "--vectorstore-path", root.resolve("store").toString()));
      Settings settings = Settings.load(arguments.flags(), Map.of("HOME", root.toString()));
      Logging.setLevel(settings.logLevel());
      Daemon daemon = Daemon.start(settings);
      try {
        call(daemon.port(), "GET", "/health", "");
        call(daemon.port(), "POST", "/api/v1/collections/t/documents", DOCUMENT);
        call(daemon.port(), "POST", "/api/v1/collections/t/query", QUERY);
        call(daemon.port(), "GET", "/api/v1/collections", "");
      } finally {
        daemon.close();
      }
    } finally {
      remove(root);
    }
  }

  /** A plain socket, because an HTTP client's classes are not needed later. */
  private static void call(int port, String method, String path, String body) throws IOException {
    String head =
        String.join(
            "\r\n",
            List.of(
                method + " " + path + " HTTP/1.1",
                "Host: localhost:" + port,
                "Connection: close",
                "Content-Type: application/json",
                "Content-Length: " + body.length(),
                "",
                ""));
    try (Socket socket = new Socket("localhost", port)) {
      socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      in.transferTo(answer);
      String first = answer.toString(StandardCharsets.UTF_8).lines().findFirst().orElse("");
      if (!first.contains(" 20")) {
        throw new IOException(method + " " + path + " answered " + first);
      }
    }
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
