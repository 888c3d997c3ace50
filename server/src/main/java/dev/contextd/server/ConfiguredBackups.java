package dev.contextd.server;

import dev.contextd.resilience.BackupOptions;
import dev.contextd.server.settings.KeyFile;
import dev.contextd.server.settings.Settings;
import dev.contextd.server.settings.SettingsException;
import java.nio.file.Path;
import java.util.Optional;

/** How the settings say that the store is backed up. */
final class ConfiguredBackups {
  private ConfiguredBackups() {}

  static BackupOptions of(Settings settings) throws StartException {
    Settings.Backup backup = settings.backup();
    BackupOptions beside = BackupOptions.beside(settings.vectorstorePath());
    Path folder = backup.path().orElse(beside.folder()).toAbsolutePath().normalize();
    if (folder.startsWith(settings.vectorstorePath().toAbsolutePath().normalize())) {
      throw new StartException(
          "backup.path: %s lies in the store itself, whose loss it is to outlive; choose another folder"
              .formatted(folder));
    }
    return new BackupOptions(folder, backup.interval(), backup.keep(), key(backup.keyFile()));
  }

  private static Optional<byte[]> key(Optional<Path> file) throws StartException {
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(KeyFile.read(file.get()));
    } catch (SettingsException e) {
      throw new StartException("backup.key_file: " + e.getMessage());
    }
  }
}
