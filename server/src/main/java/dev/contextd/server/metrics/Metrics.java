package dev.contextd.server.metrics;

import dev.contextd.resilience.ResilientStore;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * All metrics of one daemon, in a registry of its own.
 *
 * <p>Names, types and labels are a contract: alerts are written against them. Every value of a
 * closed label is there from the start with 0.
 */
public final class Metrics {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ExpositionFormats formats = ExpositionFormats.init();
  private final HttpMetrics http;
  private final HealthMetrics health;
  private boolean hasJvm;

  /**
   * What the metrics need to know beside the store.
   *
   * @param root of the store, of whose disk the space is told
   * @param namesHidden whether names of collections stay among tenants
   */
  public record Options(Path root, boolean namesHidden, Duration scanInterval, String version) {}

  public Metrics(ResilientStore store, Options options) {
    this.http = new HttpMetrics(registry);
    this.health = new HealthMetrics(registry, store, options.scanInterval());
    StoreMetrics.register(registry, store, options);
    BackupMetrics.register(registry, store.backups());
    RemoteMetrics.register(registry, store);
    Gauge.builder()
        .name("contextd_build_info")
        .help("Always 1; the label tells the version that runs.")
        .labelNames("version")
        .register(registry)
        .labelValues(options.version())
        .set(1);
  }

  public HttpMetrics http() {
    return http;
  }

  public HealthMetrics health() {
    return health;
  }

  /** An answer to a scrape. */
  public record Scrape(String contentType, byte[] body) {}

  /**
   * Everything as it stands.
   *
   * @param accept the caller's Accept header, which chooses between Prometheus' text and
   *     OpenMetrics
   */
  public Scrape scrape(@Nullable String accept) {
    addJvm();
    ExpositionFormatWriter writer = formats.findWriter(accept);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writer.write(out, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Scrape(writer.getContentType(), out.toByteArray());
  }

  /** With the first scrape: looking into the JVM would cost every start time. */
  private synchronized void addJvm() {
    if (!hasJvm) {
      JvmMetrics.builder().register(registry);
      hasJvm = true;
    }
  }
}
