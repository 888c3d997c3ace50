package dev.contextd.server.metrics;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.RequestLog;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.NanoTime;
import org.jspecify.annotations.Nullable;

/**
 * Calls by route and status, and the store's operations behind them: counted when their answer is
 * on its way, those that no route ever saw included.
 *
 * <p>The number of series is bounded: routes are templates, and what is none is {@value #OTHER}.
 */
public final class HttpMetrics implements RequestLog {
  /** The attribute of a request under which its route leaves its series. */
  public static final String SERIES = "contextd.series";

  private static final String OTHER = "other";
  private static final int MIN_STATUS = 100;
  private static final int STATUSES = 500;
  private static final int FAILURE = 500;
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT");

  /** Seconds. */
  private static final double[] BUCKETS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
  };

  private static final String DOCUMENTS = "/api/v1/collections/{name}/documents";

  /** Operations by the route that asks for them. */
  private static final Map<String, String> OPERATIONS =
      Map.of(
          "POST " + DOCUMENTS,
          "upsert",
          "GET " + DOCUMENTS,
          "page",
          "GET " + DOCUMENTS + "/{id}",
          "get",
          "POST " + DOCUMENTS + "/get",
          "get",
          "DELETE " + DOCUMENTS + "/{id}",
          "delete",
          "POST " + DOCUMENTS + "/delete",
          "delete",
          "POST /api/v1/collections/{name}/query",
          "query",
          "POST /api/v1/collections",
          "create_collection",
          "DELETE /api/v1/collections/{name}",
          "delete_collection");

  private final Counter requests;
  private final Histogram durations;
  private final Counter operations;
  private final Histogram operationDurations;

  HttpMetrics(PrometheusRegistry registry) {
    this.requests =
        Counter.builder()
            .name("contextd_http_requests")
            .help("Calls that were answered, by method, route and status.")
            .labelNames("method", "route", "status")
            .register(registry);
    this.durations =
        Histogram.builder()
            .name("contextd_http_request_duration_seconds")
            .unit(Unit.SECONDS)
            .help("From a call's first byte to its answer's last.")
            .labelNames("route")
            .classicOnly()
            .classicUpperBounds(BUCKETS)
            .register(registry);
    this.operations =
        Counter.builder()
            .name("contextd_vectorstore_operations")
            .help(
                "Operations on the store; an error is one that failed here, with a status of 5xx.")
            .labelNames("operation", "result")
            .register(registry);
    this.operationDurations =
        Histogram.builder()
            .name("contextd_vectorstore_operation_duration_seconds")
            .unit(Unit.SECONDS)
            .help("How long operations on the store took, the call's way included.")
            .labelNames("operation")
            .classicOnly()
            .classicUpperBounds(BUCKETS)
            .register(registry);
    for (String operation : Set.copyOf(OPERATIONS.values())) {
      operations.initLabelValues(operation, "success");
      operations.initLabelValues(operation, "error");
      operationDurations.initLabelValues(operation);
    }
  }

  /** The series of one route, found once. */
  public final class Series {
    private final String method;
    private final String route;
    private final DistributionDataPoint duration;
    private final @Nullable Operation operation;
    private final AtomicReferenceArray<@Nullable CounterDataPoint> statuses =
        new AtomicReferenceArray<>(STATUSES);

    private Series(String method, String route, Optional<String> operation) {
      this.method = method;
      this.route = route;
      this.duration = durations.labelValues(route);
      this.operation = operation.map(Operation::new).orElse(null);
    }

    private void count(int status, double seconds) {
      int index = status - MIN_STATUS;
      if (index >= 0 && index < STATUSES) {
        CounterDataPoint counter = statuses.get(index);
        if (counter == null) {
          counter = requests.labelValues(method, route, Integer.toString(status));
          statuses.set(index, counter);
        }
        counter.inc();
      }
      duration.observe(seconds);
      if (operation != null) {
        operation.count(status, seconds);
      }
    }
  }

  private final class Operation {
    private final CounterDataPoint success;
    private final CounterDataPoint error;
    private final DistributionDataPoint duration;

    Operation(String name) {
      this.success = operations.labelValues(name, "success");
      this.error = operations.labelValues(name, "error");
      this.duration = operationDurations.labelValues(name);
    }

    void count(int status, double seconds) {
      (status >= FAILURE ? error : success).inc();
      duration.observe(seconds);
    }
  }

  /**
   * The series of a route.
   *
   * @param route a path's template
   */
  public Series series(String method, String route) {
    return new Series(method, route, Optional.ofNullable(OPERATIONS.get(method + " " + route)));
  }

  @Override
  public void log(Request request, Response response) {
    double seconds = NanoTime.since(request.getBeginNanoTime()) / NANOS_PER_SECOND;
    if (request.getAttribute(SERIES) instanceof Series series) {
      series.count(response.getStatus(), seconds);
    } else {
      String method = METHODS.contains(request.getMethod()) ? request.getMethod() : OTHER;
      requests.labelValues(method, OTHER, Integer.toString(response.getStatus())).inc();
      durations.labelValues(OTHER).observe(seconds);
    }
  }
}
