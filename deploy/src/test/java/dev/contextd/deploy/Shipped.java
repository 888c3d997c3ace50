package dev.contextd.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.contextd.testkit.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The files of {@code deploy/}, and what they say. */
final class Shipped {
  static final Path ALERTS = deploy("prometheus/alerts.yml");
  static final Path TESTS = deploy("prometheus/tests");
  static final Path ALERTMANAGER = deploy("prometheus/alertmanager.yml.example");
  static final Path PROMETHEUS = deploy("prometheus/prometheus.yml.example");
  static final Path DASHBOARD = deploy("grafana/contextd.json");

  private Shipped() {}

  private static Path deploy(String name) {
    return Fixtures.project().resolve("deploy").resolve(name);
  }

  /** One rule. */
  record Alert(
      String name, String expression, Optional<String> severity, Map<String, String> annotations) {}

  /** All rules by their name. */
  static Map<String, Alert> alerts() throws IOException {
    return list(yaml(ALERTS), "groups").stream()
        .flatMap(group -> list(group, "rules").stream())
        .map(Shipped::alert)
        .collect(Collectors.toMap(Alert::name, Function.identity()));
  }

  private static Alert alert(Map<String, Object> rule) {
    return new Alert(
        String.valueOf(rule.get("alert")),
        String.valueOf(rule.get("expr")),
        Optional.ofNullable(strings(rule, "labels").get("severity")),
        strings(rule, "annotations"));
  }

  /** What the panels ask a Prometheus, with the dashboard's variables as they stand there. */
  static List<String> dashboardExpressions() throws IOException {
    JsonNode dashboard = new ObjectMapper().readTree(Files.readString(DASHBOARD));
    return dashboard.findValuesAsText("expr");
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> yaml(Path file) throws IOException {
    return (Map<String, Object>)
        new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
  }

  @SuppressWarnings("unchecked")
  static List<Map<String, Object>> list(Map<String, Object> parent, String key) {
    return (List<Map<String, Object>>) parent.getOrDefault(key, List.of());
  }

  @SuppressWarnings("unchecked")
  private static Map<String, String> strings(Map<String, Object> parent, String key) {
    return (Map<String, String>) parent.getOrDefault(key, Map.of());
  }
}
