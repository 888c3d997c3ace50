package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.server.metrics.Metrics;
import dev.contextd.testkit.StoreRoot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Names, types and labels of the metrics: alerts are written against them. */
class MetricsTest {
  private static final String NOTES = "/api/v1/collections/notes";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private static String scrape(RunningServer server) {
    return server.text("/metrics");
  }

  private static double value(String text, String series) {
    Matcher line =
        Pattern.compile("^" + Pattern.quote(series) + " (\\S+)$", Pattern.MULTILINE).matcher(text);
    assertThat(line.find()).as("%s in %s", series, text).isTrue();
    return Double.parseDouble(line.group(1));
  }

  @Test
  void theSixOfTheContractAreThereFromTheStartWithEveryLabelValue() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String text = scrape(server);
      assertThat(text)
          .contains(
              "# TYPE contextd_vectorstore_collections_total gauge",
              "# TYPE contextd_vectorstore_health_status gauge",
              "# TYPE contextd_vectorstore_health_check_duration_seconds histogram",
              "# TYPE contextd_vectorstore_health_checks_total counter",
              "# TYPE contextd_vectorstore_corrupt_collections_detected_total counter",
              "# TYPE contextd_vectorstore_quarantine_operations_total counter");
      for (String status : List.of("healthy", "corrupt", "empty")) {
        value(text, "contextd_vectorstore_collections_total{status=\"" + status + "\"}");
      }
      for (String name :
          List.of(
              "contextd_vectorstore_health_checks_total",
              "contextd_vectorstore_quarantine_operations_total",
              "contextd_webhook_deliveries_total")) {
        assertThat(value(text, name + "{result=\"success\"}")).isZero();
        assertThat(value(text, name + "{result=\"error\"}")).isZero();
      }
      assertThat(value(text, "contextd_vectorstore_corrupt_collections_detected_total")).isZero();
      for (String bucket : List.of("0.001", "1.0", "10.0", "+Inf")) {
        value(
            text,
            "contextd_vectorstore_health_check_duration_seconds_bucket{le=\"" + bucket + "\"}");
      }
      for (String source : List.of("memory", "pack", "gob", "journal", "catalog")) {
        assertThat(value(text, "contextd_repairs_total{source=\"" + source + "\"}")).isZero();
      }
      for (String operation :
          List.of(
              "upsert",
              "delete",
              "get",
              "query",
              "page",
              "create_collection",
              "delete_collection")) {
        for (String result : List.of("error", "success")) {
          String labels = "{operation=\"" + operation + "\",result=\"" + result + "\"}";
          assertThat(value(text, "contextd_vectorstore_operations_total" + labels)).isZero();
        }
        value(
            text,
            "contextd_vectorstore_operation_duration_seconds_count{operation=\""
                + operation
                + "\"}");
      }
      assertThat(value(text, "contextd_build_info{version=\"test\"}")).isEqualTo(1);
      assertThat(value(text, "contextd_vectorstore_disk_free_bytes")).isPositive();
      assertThat(value(text, "contextd_vectorstore_disk_size_bytes")).isPositive();
      assertThat(value(text, "contextd_scanner_interval_seconds")).isEqualTo(300);
      assertThat(value(text, "contextd_vectorstore_read_only")).isZero();
      assertThat(text)
          .contains(
              "contextd_journal_pending_bytes ",
              "contextd_journal_pending_limit_bytes ",
              "contextd_journal_lag_seconds ",
              "contextd_journal_checkpoint_failing 0",
              "contextd_journal_fsync_duration_seconds_count ",
              "contextd_journal_fsync_duration_seconds_sum ",
              "contextd_scanner_last_scan_timestamp_seconds ",
              "contextd_scanner_last_scrub_timestamp_seconds ",
              "contextd_scrub_bytes_total 0",
              "contextd_scrub_damage_total 0",
              "contextd_quarantined_items 0",
              "contextd_vectorstore_unavailable_documents 0",
              "jvm_memory_used_bytes",
              "process_cpu_seconds_total");
    }
  }

  @Test
  void theRemoteStoresAreThereWithoutOne() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String text = scrape(server);
      for (String gauge :
          List.of(
              "configured",
              "up",
              "breaker_open",
              "paused",
              "gap",
              "waiting_bytes",
              "waiting_bytes_limit",
              "oldest_waiting_seconds",
              "oldest_waiting_seconds_limit",
              "last_sync_timestamp_seconds")) {
        assertThat(text).contains("# TYPE contextd_remote_" + gauge + " gauge");
        assertThat(value(text, "contextd_remote_" + gauge)).isZero();
      }
      for (String counter : List.of("shipped", "refused", "conflicts", "failures")) {
        assertThat(text).contains("# TYPE contextd_remote_" + counter + "_total counter");
        assertThat(value(text, "contextd_remote_" + counter + "_total")).isZero();
      }
    }
  }

  @Test
  void damageAndChecksAreCountedOnceEach() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve("e9f85bf6/00000000.gob"));
    try (RunningServer server = RunningServer.quarantining(root.path())) {
      server.get("/health");
      server.get("/health");
      String text = scrape(server);
      assertThat(value(text, "contextd_vectorstore_collections_total{status=\"healthy\"}"))
          .isEqualTo(2);
      assertThat(value(text, "contextd_vectorstore_collections_total{status=\"corrupt\"}"))
          .isEqualTo(1);
      assertThat(value(text, "contextd_vectorstore_health_status")).isZero();
      assertThat(value(text, "contextd_vectorstore_health_checks_total{result=\"success\"}"))
          .isEqualTo(2);
      assertThat(value(text, "contextd_vectorstore_health_check_duration_seconds_count"))
          .isEqualTo(2);
      assertThat(value(text, "contextd_vectorstore_corrupt_collections_detected_total"))
          .isEqualTo(1);
      assertThat(
              value(text, "contextd_vectorstore_quarantine_operations_total{result=\"success\"}"))
          .isEqualTo(1);
      assertThat(value(text, "contextd_quarantined_items")).isEqualTo(1);
      assertThat(value(text, "contextd_vectorstore_unavailable_documents")).isEqualTo(6);
    }
  }

  @Test
  void callsAndOperationsAreCountedByRouteAndNotByPath() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0]}]}");
      server.post(NOTES + "/query", "{\"embedding\":[1,0]}");
      server.post(NOTES + "/query", "{\"embedding\":[1]}");
      server.get(NOTES + "/documents/none");
      server.get("/wherever/" + "x".repeat(50));
      server.raw("GET /%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      String text = scrape(server);
      String documents = "{method=\"POST\",route=\"/api/v1/collections/{name}/documents\"";
      assertThat(value(text, "contextd_http_requests_total" + documents + ",status=\"201\"}"))
          .isEqualTo(1);
      String query = "{method=\"POST\",route=\"/api/v1/collections/{name}/query\",status=";
      assertThat(value(text, "contextd_http_requests_total" + query + "\"200\"}")).isEqualTo(1);
      assertThat(value(text, "contextd_http_requests_total" + query + "\"400\"}")).isEqualTo(1);
      assertThat(
              value(
                  text,
                  "contextd_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"}"))
          .isEqualTo(1);
      assertThat(
              value(
                  text,
                  "contextd_http_requests_total{method=\"other\",route=\"other\",status=\"400\"}"))
          .isEqualTo(1);
      assertThat(text).doesNotContain("xxxxx");
      String operations = "contextd_vectorstore_operations_total{operation=";
      assertThat(value(text, operations + "\"upsert\",result=\"success\"}")).isEqualTo(1);
      assertThat(value(text, operations + "\"query\",result=\"success\"}")).isEqualTo(2);
      assertThat(value(text, operations + "\"query\",result=\"error\"}")).isZero();
      assertThat(
              value(
                  text,
                  "contextd_vectorstore_operation_duration_seconds_count{operation=\"query\"}"))
          .isEqualTo(2);
      assertThat(value(text, "contextd_vectorstore_documents{collection=\"notes\"}")).isEqualTo(1);
      assertThat(value(text, "contextd_journal_fsync_duration_seconds_count")).isPositive();
    }
  }

  @Test
  void theAcceptHeaderChoosesBetweenTextAndOpenMetrics() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String text = server.text("/metrics", "Accept", "text/plain;version=0.0.4");
      assertThat(text).doesNotContain("# EOF");
      String open =
          server.text("/metrics", "Accept", "application/openmetrics-text; version=1.0.0");
      assertThat(open).endsWith("# EOF\n");
      assertThat(open)
          .contains(
              "# TYPE contextd_vectorstore_collections_total gauge",
              "# TYPE contextd_vectorstore_health_checks counter",
              "contextd_vectorstore_health_checks_total{result=\"success\"}",
              "contextd_vectorstore_collections_total{status=\"healthy\"}");
    }
  }

  @Test
  void theSmallerOfManyCollectionsShareASeries() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      server.post(NOTES + "/documents", "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0]}]}");
      for (int i = 0; i < 110; i++) {
        server.post("/api/v1/collections", "{\"name\":\"c" + i + "\"}");
      }
      String other = "/api/v1/collections/_other/documents";
      server.post(other, "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0]}]}");
      String text = scrape(server);
      assertThat(text.lines().filter(line -> line.startsWith("contextd_vectorstore_documents{")))
          .hasSizeBetween(100, 101);
      assertThat(value(text, "contextd_vectorstore_documents{collection=\"notes\"}")).isEqualTo(1);
      assertThat(value(text, "contextd_vectorstore_documents{collection=\"_other\"}")).isEqualTo(1);
    }
  }

  @Test
  void amongTenantsNoCollectionIsNamed() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
      Metrics metrics =
          new Metrics(store, new Metrics.Options(root.path(), true, Duration.ofMinutes(5), "test"));
      String text = new String(metrics.scrape(null).body(), StandardCharsets.UTF_8);
      assertThat(text).doesNotContain("contextd_memories");
      assertThat(value(text, "contextd_vectorstore_documents{collection=\"_other\"}"))
          .isEqualTo(46);
    }
  }
}
