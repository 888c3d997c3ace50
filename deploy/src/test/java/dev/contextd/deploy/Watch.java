package dev.contextd.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A Prometheus that scrapes a daemon twice, once in each format, an Alertmanager behind it, and the
 * webhook behind that; with the files that ship, but for addresses and times.
 *
 * <p>Hours and minutes become seconds: what an alert waits for is the same, only sooner.
 */
final class Watch implements AutoCloseable {
  /** As Prometheus negotiates it, and named after the scrape of the example. */
  static final String OPEN_METRICS = "contextd";

  static final String TEXT = "contextd-text";

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(100);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final Webhook webhook;
  private final Forwarder forwarder;
  private final Child prometheus;

  /**
   * @param daemon its port
   * @param folder for everything they write
   */
  Watch(int daemon, Path folder) throws IOException {
    try {
      webhook = opened(new Webhook());
      forwarder = opened(new Forwarder(daemon, "text/plain;version=0.0.4"));
      Child alertmanager = opened(Child.alertmanager(alertmanagerSettings(webhook.url()), folder));
      Files.writeString(folder.resolve("alerts.yml"), alerts());
      prometheus =
          opened(
              Child.prometheus(
                  prometheusSettings(daemon, alertmanager.address(), forwarder.address()), folder));
    } catch (IOException | RuntimeException | AssertionError e) {
      close();
      throw e;
    }
  }

  private <T extends AutoCloseable> T opened(T part) {
    parts.addFirst(part);
    return part;
  }

  private static String alertmanagerSettings(String receiver) throws IOException {
    return Files.readString(Shipped.ALERTMANAGER)
        .replace("http://127.0.0.1:9099", receiver)
        .replaceAll("group_wait: \\S+", "group_wait: 0s")
        .replaceAll("group_interval: \\S+", "group_interval: 1s");
  }

  /**
   * An Alertmanager never tells what came to its end while something inhibited it: a daemon is down
   * for long enough that the end of its other alerts is told first.
   */
  private static String alerts() throws IOException {
    return Files.readString(Shipped.ALERTS)
        .replaceAll("for: \\d+[mhd]", "for: 1s")
        .replaceFirst("(?<down>alert: ContextdDown\\s+expr: .*\\s+)for: 1s", "${down}for: 5s")
        .replaceAll("\\[\\d+[mhd]]", "[10s]")
        .replaceAll("offset \\d+[mhd]", "offset 10s");
  }

  private static String prometheusSettings(int daemon, String alertmanager, String text)
      throws IOException {
    String settings =
        Files.readString(Shipped.PROMETHEUS)
            .replace("localhost:9090", "localhost:" + daemon)
            .replace("localhost:9093", alertmanager)
            .replaceAll("scrape_interval: \\S+", "scrape_interval: 1s")
            .replaceAll("evaluation_interval: \\S+", "evaluation_interval: 500ms");
    return settings
        + """
          - job_name: %s
            static_configs:
              - targets: ["%s"]
        """
            .formatted(TEXT, text);
  }

  Child prometheus() {
    return prometheus;
  }

  Set<String> contentTypesOfText() {
    return forwarder.contentTypes();
  }

  /** Waits until the last word on an alert is that it fires, and that its receiver was told. */
  void awaitFiring(String alert, String job, String receiver) {
    await(alert + " of " + job + " fires")
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .untilAsserted(() ->
            assertThat(last(alert, job))
                .as("told: %s", fired())
                .hasValueSatisfying(notice -> {
                  assertThat(notice.isFiring()).isTrue();
                  assertThat(notice.receiver()).isEqualTo(receiver);
                }));
  }

  /** Waits until the last word on an alert is that it is over. */
  void awaitResolved(String alert, String job) {
    await(alert + " of " + job + " is over")
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .untilAsserted(() ->
            assertThat(last(alert, job))
                .hasValueSatisfying(notice -> assertThat(notice.isFiring()).isFalse()));
  }

  private Optional<Webhook.Notice> last(String alert, String job) {
    return webhook.notices().stream()
        .filter(notice -> notice.isFor(alert, job))
        .reduce((earlier, later) -> later);
  }

  /** Every alert that anybody was ever told of. */
  Set<String> fired() {
    return webhook.notices().stream()
        .filter(Webhook.Notice::isFiring)
        .map(Webhook.Notice::alert)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The names of the metrics of ours that a scrape has. */
  Set<String> names(String job) throws IOException {
    return prometheus
        .query("count by (__name__) ({job=\"" + job + "\",__name__!~\"scrape_.*|up|ALERTS.*\"})")
        .valueStream()
        .map(sample -> sample.path("metric").path("__name__").asText())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Waits until an expression has a value. */
  JsonNode awaitValue(String expression) {
    return await(expression)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .until(() -> prometheus.query(expression), result -> !result.isEmpty());
  }

  @Override
  public void close() {
    parts.forEach(Watch::close);
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
