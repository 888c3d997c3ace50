package dev.contextd.server.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** What the fuzzers of the settings share. */
final class FuzzedSettings {
  private static final int MAX_MESSAGE_CHARACTERS = 2_000;
  private static final Duration MOST_RETENTION = Duration.ofDays(3_650);

  private FuzzedSettings() {}

  /** A folder that is home. */
  static Path home() {
    try {
      Path folder = Files.createTempDirectory("settings-fuzz");
      folder.toFile().deleteOnExit();
      return folder;
    } catch (IOException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** They are complete and within their bounds, or refused in one line. */
  static void load(Optional<String> config, Map<String, String> environment) {
    Settings.Flags flags =
        new Settings.Flags(Optional.empty(), Optional.empty(), false, Optional.empty(), config);
    try {
      Settings settings = Settings.load(flags, environment);
      assertThat(settings.httpPort()).isBetween(0, 65_535);
      assertThat(settings.vectorstorePath()).isAbsolute();
      assertThat(settings.trashRetention()).isBetween(Duration.ZERO, MOST_RETENTION);
    } catch (SettingsException e) {
      assertThat(e.getMessage())
          .isNotBlank()
          .hasSizeLessThan(MAX_MESSAGE_CHARACTERS)
          .doesNotContainPattern("\\p{Cntrl}");
    }
  }
}
