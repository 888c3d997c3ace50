package dev.contextd.server.metrics;

import dev.contextd.resilience.HealthChecker;
import dev.contextd.resilience.HealthListener;
import dev.contextd.resilience.HealthReport;
import dev.contextd.resilience.OpenSummary;
import dev.contextd.resilience.RepairSource;
import dev.contextd.resilience.ResilientStore;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/** What checks, repairs and the quarantine come to. */
public final class HealthMetrics implements HealthListener {
  private static final String RESULT = "result";
  private static final String SUCCESS = "success";
  private static final String ERROR = "error";
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final double MILLIS_PER_SECOND = TimeUnit.SECONDS.toMillis(1);

  /** Seconds. */
  private static final double[] CHECK_BUCKETS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
  };

  private final PrometheusRegistry registry;
  private final HealthChecker checker;
  private final Histogram durations;
  private final Counter checks;
  private final Counter detected;
  private final Counter quarantines;
  private final Counter repairs;
  private final Counter scrubbed;
  private final Counter scrubDamage;
  private final Counter webhooks;
  private final Gauge lastScan;

  HealthMetrics(PrometheusRegistry registry, ResilientStore store, Duration scanInterval) {
    this.registry = registry;
    this.checker = store.checker();
    this.durations =
        Histogram.builder()
            .name("contextd_vectorstore_health_check_duration_seconds")
            .unit(Unit.SECONDS)
            .help("How long checks of the store's health took.")
            .classicOnly()
            .classicUpperBounds(CHECK_BUCKETS)
            .register(registry);
    this.checks = results("contextd_vectorstore_health_checks", "Checks of the store's health.");
    this.detected =
        counter(
            "contextd_vectorstore_corrupt_collections_detected",
            "Collections that became corrupt.");
    this.quarantines =
        results(
            "contextd_vectorstore_quarantine_operations", "Moves of damaged things to quarantine.");
    this.repairs =
        Counter.builder()
            .name("contextd_repairs")
            .help("Things that were mended without loss, by what they were made from.")
            .labelNames("source")
            .register(registry);
    List.of(RepairSource.values()).forEach(source -> repairs.initLabelValues(word(source)));
    this.scrubbed = counter("contextd_scrub_bytes", "Bytes that scrubs have read and verified.");
    this.scrubDamage = counter("contextd_scrub_damage", "Damaged things that scrubs have found.");
    this.webhooks = results("contextd_webhook_deliveries", "Messages to the configured webhook.");
    this.lastScan =
        Gauge.builder()
            .name("contextd_scanner_last_scan_timestamp_seconds")
            .help("When the last check that succeeded began.")
            .register(registry);
    gauges(scanInterval);
    note(store.summary());
  }

  private Counter counter(String name, String help) {
    return Counter.builder().name(name).help(help).register(registry);
  }

  private Counter results(String name, String help) {
    Counter counter = Counter.builder().name(name).help(help).labelNames(RESULT).register(registry);
    counter.initLabelValues(SUCCESS);
    counter.initLabelValues(ERROR);
    return counter;
  }

  private void gauges(Duration scanInterval) {
    GaugeWithCallback.builder()
        .name("contextd_vectorstore_collections_total")
        .help("Collections by status; what lies in quarantine is corrupt.")
        .labelNames("status")
        .callback(callback -> {
          HealthReport last = checker.last();
          callback.call(last.healthy().size(), "healthy");
          callback.call(last.corrupt().size(), "corrupt");
          callback.call(last.empty().size(), "empty");
        })
        .register(registry);
    gauge(
        "contextd_vectorstore_health_status",
        "1 where the last check found everything served, else 0.",
        report -> report.isDegraded() ? 0 : 1);
    gauge(
        "contextd_quarantined_items",
        "Things in quarantine that cost somebody something.",
        report -> report.quarantined().size());
    gauge(
        "contextd_vectorstore_unavailable_documents",
        "Documents that cannot be served, as far as their number is known.",
        HealthReport::unavailable);
    gauge(
        "contextd_scanner_last_scrub_timestamp_seconds",
        "When every byte had last been verified; 0 where it never was.",
        _ -> checker.lastScrub().map(HealthMetrics::seconds).orElse(0.0));
    gauge(
        "contextd_scanner_interval_seconds",
        "Time between two checks of the whole folder.",
        _ -> scanInterval.toNanos() / NANOS_PER_SECOND);
  }

  private void gauge(String name, String help, ToDoubleFunction<HealthReport> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(value.applyAsDouble(checker.last())))
        .register(registry);
  }

  private static double seconds(Instant instant) {
    return instant.toEpochMilli() / MILLIS_PER_SECOND;
  }

  /** What the opening did, before anybody could listen. */
  private void note(OpenSummary opened) {
    quarantines.labelValues(SUCCESS).inc(opened.quarantined().size());
    quarantines.labelValues(ERROR).inc(opened.failedMoves());
    opened.repairs().forEach(this::onRepair);
  }

  private static String word(RepairSource source) {
    return source.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public void onCheck(HealthReport report) {
    boolean isError = report.error().isPresent();
    checks.labelValues(isError ? ERROR : SUCCESS).inc();
    durations.observe(report.duration().toNanos() / NANOS_PER_SECOND);
    if (!isError) {
      lastScan.set(seconds(report.checkedAt()));
    }
  }

  @Override
  public void onCorrupt(List<String> folders) {
    detected.inc(folders.size());
  }

  @Override
  public void onQuarantine(boolean isMoved) {
    quarantines.labelValues(isMoved ? SUCCESS : ERROR).inc();
  }

  @Override
  public void onRepair(RepairSource source) {
    repairs.labelValues(word(source)).inc();
  }

  @Override
  public void onScrubbed(long bytes) {
    scrubbed.inc(bytes);
  }

  @Override
  public void onScrubDamage(int count) {
    scrubDamage.inc(count);
  }

  /** A message to the webhook arrived, or was given up. */
  public void onDelivery(boolean arrived) {
    webhooks.labelValues(arrived ? SUCCESS : ERROR).inc();
  }
}
