package dev.contextd.server.metrics;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.storage.checkpoint.KeeperStatus;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.SummaryWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.Unit;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;

/** What the store itself knows at the moment of a scrape: documents, journal, disk. */
final class StoreMetrics {
  /** So many collections have a series of their own, the largest ones. */
  static final int MAX_COLLECTIONS = 100;

  /** The rest of them together. */
  static final String OTHER = "_other";

  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final PrometheusRegistry registry;
  private final VectorStore store;
  private final Metrics.Options options;

  private StoreMetrics(PrometheusRegistry registry, VectorStore store, Metrics.Options options) {
    this.registry = registry;
    this.store = store;
    this.options = options;
  }

  static void register(
      PrometheusRegistry registry, ResilientStore resilient, Metrics.Options options) {
    StoreMetrics metrics = new StoreMetrics(registry, resilient.store(), options);
    metrics.documents();
    metrics.journal();
    metrics.disk();
    metrics.gauge(
        "contextd_vectorstore_read_only",
        "1 where the store is served read-only, else 0.",
        () -> metrics.store.readOnlyReason().isPresent() ? 1 : 0);
  }

  private void gauge(String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(value.getAsDouble()))
        .register(registry);
  }

  private void documents() {
    GaugeWithCallback.builder()
        .name("contextd_vectorstore_documents")
        .help(
            "Documents served, by collection; those of all but the "
                + MAX_COLLECTIONS
                + " largest ones together as "
                + OTHER
                + ".")
        .labelNames("collection")
        .callback(this::documents)
        .register(registry);
  }

  private void documents(GaugeWithCallback.Callback callback) {
    List<CollectionInfo> largestFirst =
        store.collections(Scope.ALL).stream()
            .sorted(Comparator.comparingLong(CollectionInfo::count).reversed())
            .toList();
    int named = options.namesHidden() ? 0 : Math.min(MAX_COLLECTIONS, largestFirst.size());
    long rest = 0;
    for (int i = 0; i < largestFirst.size(); i++) {
      CollectionInfo info = largestFirst.get(i);
      if (i < named && !info.name().equals(OTHER)) {
        callback.call((double) info.count(), info.name());
      } else {
        rest += info.count();
      }
    }
    callback.call((double) rest, OTHER);
  }

  private void journal() {
    journal(
        "contextd_journal_pending_bytes",
        "Bytes of the journal that no checkpoint covers yet.",
        KeeperStatus::pendingBytes);
    journal(
        "contextd_journal_pending_limit_bytes",
        "Pending bytes past which writers wait.",
        KeeperStatus::maxPendingBytes);
    journal(
        "contextd_journal_lag_seconds",
        "Age of the oldest write that no checkpoint covers yet; 0 where there is none.",
        status -> status.lag().toNanos() / NANOS_PER_SECOND);
    journal(
        "contextd_journal_checkpoint_failing",
        "1 where the last checkpoint failed, else 0.",
        status -> status.failure().isPresent() ? 1 : 0);
    SummaryWithCallback.builder()
        .name("contextd_journal_fsync_duration_seconds")
        .unit(Unit.SECONDS)
        .help("Syncs of the journal and the time they took.")
        .callback(callback -> {
          var journal = store.durability().journal();
          callback.call(journal.syncs(), journal.syncNanos() / NANOS_PER_SECOND, Quantiles.EMPTY);
        })
        .register(registry);
  }

  private void journal(String name, String help, ToDoubleFunction<KeeperStatus> value) {
    gauge(name, help, () -> value.applyAsDouble(store.durability()));
  }

  private void disk() {
    disk(
        "contextd_vectorstore_disk_free_bytes",
        "Bytes that the store may still fill on its disk; NaN where the folder cannot be reached.",
        FileSpace.FREE);
    disk(
        "contextd_vectorstore_disk_size_bytes",
        "Bytes of the store's disk; NaN where the folder cannot be reached.",
        FileSpace.SIZE);
  }

  /** A number of a disk that may be gone. */
  private interface FileSpace {
    FileSpace FREE = FileStore::getUsableSpace;
    FileSpace SIZE = FileStore::getTotalSpace;

    long of(FileStore disk) throws IOException;
  }

  private void disk(String name, String help, FileSpace space) {
    Path root = options.root();
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> {
          try {
            callback.call((double) space.of(Files.getFileStore(root)));
          } catch (IOException e) {
            callback.call(Double.NaN);
          }
        })
        .register(registry);
  }
}
