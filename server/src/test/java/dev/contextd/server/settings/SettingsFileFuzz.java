package dev.contextd.server.settings;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.testkit.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** A configuration file, whatever stands in it. */
class SettingsFileFuzz {
  private static final Path HOME = FuzzedSettings.home();

  static List<byte[]> seeds() throws IOException {
    return List.of(
        Files.readAllBytes(Fixtures.path("contextd/config.yaml")),
        "vectorstore:\n  chromem:\n    path: ~/a\n    compress: true\nhealth: {max_age: 1m30s}\n"
            .getBytes(StandardCharsets.UTF_8),
        "a: &a [*a, *a]\nqdrant: !!map {port: 0x10, tls: yes}\n".getBytes(StandardCharsets.UTF_8),
        "server:\n  http_port: \"9\\n0\"\n  shutdown_timeout: |\n    10s\n"
            .getBytes(StandardCharsets.UTF_8),
        "\"a key\\non two lines\": 1\n".getBytes(StandardCharsets.UTF_8),
        ("log: " + "x".repeat(5_000)).getBytes(StandardCharsets.UTF_8),
        "[".repeat(4_000).getBytes(StandardCharsets.UTF_8),
        "{a: ".repeat(4_000).getBytes(StandardCharsets.UTF_8));
  }

  /** Hosts would be looked up, and named files of this machine read. */
  private static boolean looksAtNothingElse(byte[] yaml) {
    String text = new String(yaml, StandardCharsets.ISO_8859_1);
    return Stream.of("http_host", "token_file", "key_file").noneMatch(text::contains);
  }

  @MethodSource("seeds")
  @FuzzTest
  void aFileIsTakenOrRefused(byte[] yaml) throws IOException {
    if (looksAtNothingElse(yaml)) {
      Path file = Files.write(HOME.resolve("config.yaml"), yaml);
      FuzzedSettings.load(Optional.of(file.toString()), Map.of("HOME", HOME.toString()));
    }
  }
}
