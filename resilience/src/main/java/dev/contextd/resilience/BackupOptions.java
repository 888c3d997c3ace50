package dev.contextd.resilience;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How a store is backed up.
 *
 * @param folder of the backups, outside of the store's root
 * @param interval from one backup of everything to the next; zero makes none by itself
 * @param keep how many backups of everything stay
 * @param key of 32 bytes that encrypts them; empty for backups that anybody can read
 */
public record BackupOptions(Path folder, Duration interval, int keep, Optional<byte[]> key) {
  /** From one backup of names and metadata to the next. */
  static final Duration NAMES_INTERVAL = Duration.ofHours(1);

  /** So many of them stay. */
  static final int KEPT_NAMES = 24;

  /** Names and metadata every hour, everything on request, beside the store's folder. */
  public static BackupOptions beside(Path root) {
    Path absolute = root.toAbsolutePath().normalize();
    return new BackupOptions(
        absolute.resolveSibling("backups").resolve(String.valueOf(absolute.getFileName())),
        Duration.ZERO,
        7,
        Optional.empty());
  }
}
