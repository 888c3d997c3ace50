package dev.contextd.server.metrics;

import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.RemoteStatus;
import dev.contextd.resilience.remote.RemoteStatus.BreakerState;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.resilience.remote.RemoteSync;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * How things stand with the remote store, at the moment of a scrape. All are there without one too,
 * as 0, so that an alert on them is silent and not without data.
 */
final class RemoteMetrics {
  private static final double MILLIS_PER_SECOND = 1e3;

  private final PrometheusRegistry registry;

  /** It is attached after the metrics are made. */
  private final Supplier<Optional<RemoteSync>> remote;

  private RemoteMetrics(PrometheusRegistry registry, Supplier<Optional<RemoteSync>> remote) {
    this.registry = registry;
    this.remote = remote;
  }

  static void register(PrometheusRegistry registry, ResilientStore store) {
    RemoteMetrics metrics = new RemoteMetrics(registry, () -> store.remote().sync());
    metrics.state();
    metrics.waiting();
    metrics.counters();
  }

  private void state() {
    gauge(
        "contextd_remote_configured", "1 where a remote store is kept up to date, else 0.", _ -> 1);
    status(
        "contextd_remote_up",
        "1 where the remote store answered when it was last asked, else 0.",
        status -> status.state() == State.UP ? 1 : 0);
    status(
        "contextd_remote_breaker_open",
        "1 where the remote store is left alone because calls of it failed, else 0.",
        status -> status.breaker() == BreakerState.OPEN ? 1 : 0);
    status(
        "contextd_remote_paused",
        "1 where an operator has stopped the shipping, else 0.",
        status -> status.isPaused() ? 1 : 0);
    status(
        "contextd_remote_gap",
        "1 where something may be missing on the remote store that does not wait for it, else 0.",
        status -> status.gap().isPresent() ? 1 : 0);
  }

  private void waiting() {
    status(
        "contextd_remote_waiting_bytes",
        "Bytes of what the remote store has not got yet.",
        RemoteStatus::waitingBytes);
    gauge(
        "contextd_remote_waiting_bytes_limit",
        "Waiting bytes past which writes are refused; 0 where there is no remote store.",
        RemoteSync::maxWaitingBytes);
    gauge(
        "contextd_remote_oldest_waiting_seconds",
        "Age of the oldest thing that waits for the remote store; 0 where nothing does.",
        sync -> sync.age(sync.status()).toMillis() / MILLIS_PER_SECOND);
    gauge(
        "contextd_remote_oldest_waiting_seconds_limit",
        "Age of the oldest thing that waits past which writes are refused; 0 where there is no remote store.",
        sync -> sync.maxWaitingAge().toMillis() / MILLIS_PER_SECOND);
    status(
        "contextd_remote_last_sync_timestamp_seconds",
        "When the remote store last had everything that was written; 0 where not since the start.",
        status -> status.lastSync().map(Instant::toEpochMilli).orElse(0L) / MILLIS_PER_SECOND);
  }

  private void counters() {
    counter(
        "contextd_remote_shipped",
        "Documents and deletions that the remote store has acknowledged.",
        RemoteStatus::shipped);
    counter(
        "contextd_remote_refused",
        "Documents that the remote store can never hold.",
        RemoteStatus::refused);
    counter(
        "contextd_remote_conflicts",
        "Documents that somebody else wrote to the remote store, and that gave way to what is here.",
        RemoteStatus::conflicts);
    counter(
        "contextd_remote_failures",
        "Calls of the remote store that failed.",
        RemoteStatus::failures);
  }

  private void status(String name, String help, ToDoubleFunction<RemoteStatus> value) {
    gauge(name, help, sync -> value.applyAsDouble(sync.status()));
  }

  private void gauge(String name, String help, ToDoubleFunction<RemoteSync> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(orZero(value)))
        .register(registry);
  }

  private void counter(String name, String help, ToDoubleFunction<RemoteStatus> value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(orZero(sync -> value.applyAsDouble(sync.status()))))
        .register(registry);
  }

  private double orZero(ToDoubleFunction<RemoteSync> value) {
    return remote.get().map(value::applyAsDouble).orElse(0.0);
  }
}
