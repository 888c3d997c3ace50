package dev.contextd.server.settings;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** An environment variable, whatever its value. */
class SettingsVariableFuzz {
  private static final Path HOME = FuzzedSettings.home();
  private static final List<String> NAMES =
      Arrays.stream(Key.values()).flatMap(key -> key.environment().stream()).toList();

  static List<byte[]> seeds() {
    return IntStream.range(0, NAMES.size())
        .boxed()
        .flatMap(name ->
            Stream.of("1h30m", ".5µs", "0", "9090", "~/a", "true", "a\nb")
                .map(value -> (char) name.intValue() + value))
        .map(text -> text.getBytes(StandardCharsets.UTF_8))
        .toList();
  }

  /** The first byte chooses the variable, the others are its value. */
  @MethodSource("seeds")
  @FuzzTest
  void aVariableIsTakenOrRefused(byte[] bytes) {
    if (bytes.length > 0) {
      String name = NAMES.get((bytes[0] & 0xff) % NAMES.size());
      String value = new String(bytes, 1, bytes.length - 1, StandardCharsets.UTF_8);
      FuzzedSettings.load(Optional.empty(), Map.of("HOME", HOME.toString(), name, value));
    }
  }
}
