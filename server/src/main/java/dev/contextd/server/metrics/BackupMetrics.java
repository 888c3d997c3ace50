package dev.contextd.server.metrics;

import dev.contextd.resilience.Backups;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/** How the store's backups fare, at the moment of a scrape. */
final class BackupMetrics {
  private static final double MILLIS_PER_SECOND = 1e3;

  private BackupMetrics() {}

  static void register(PrometheusRegistry registry, Backups backups) {
    gauge(
        registry,
        "contextd_backup_last_timestamp_seconds",
        "When the newest backup of everything was made; 0 where there is none.",
        () -> seconds(backups.lastRun()));
    gauge(
        registry,
        "contextd_backup_last_verified_timestamp_seconds",
        "When a backup of everything was last read whole; 0 where none was.",
        // Each is read back when it is made.
        () -> Math.max(seconds(backups.lastVerified()), seconds(backups.lastRun())));
    gauge(
        registry,
        "contextd_backup_last_names_timestamp_seconds",
        "When names and metadata were last backed up; 0 where they never were.",
        () -> seconds(backups.lastNames()));
    gauge(
        registry,
        "contextd_backup_interval_seconds",
        "Time between two backups of everything; 0 where none is made by the clock.",
        () -> backups.interval().toSeconds());
    gauge(
        registry,
        "contextd_backup_failing",
        "1 where the last backup by the clock failed, else 0.",
        () -> backups.failure().isPresent() ? 1 : 0);
  }

  private static void gauge(
      PrometheusRegistry registry, String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(value.getAsDouble()))
        .register(registry);
  }

  private static double seconds(Optional<Instant> time) {
    return time.map(Instant::toEpochMilli).orElse(0L) / MILLIS_PER_SECOND;
  }
}
