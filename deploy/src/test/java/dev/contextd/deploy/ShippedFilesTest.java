package dev.contextd.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.contextd.testkit.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the files of {@code deploy/} must have, each and all, and how they fit together. */
class ShippedFilesTest {
  private static final String RUNBOOK = "docs/operations/ALERTING.md";
  private static final Pattern NAME_OF_ALERT = Pattern.compile("[A-Z][a-z]+[A-Z]\\w+");
  private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
  private static final Pattern NAMED_ALERT = Pattern.compile("alertname!?=~?\"([^\"]*)\"");

  @Test
  void everyAlertHasASeverityAndSaysWhatIsWrong() throws IOException {
    assertThat(Shipped.alerts())
        .allSatisfy((name, alert) -> {
          assertThat(alert.severity().orElse("none")).isIn("critical", "warning", "info");
          assertThat(alert.annotations()).containsOnlyKeys("summary", "description", "runbook_url");
        });
  }

  @Test
  void everyAlertLinksToItsSectionOfTheRunbook() throws IOException {
    assertThat(Shipped.alerts())
        .allSatisfy((name, alert) ->
            assertThat(alert.annotations())
                .containsEntry("runbook_url", RUNBOOK + "#" + name.toLowerCase(Locale.ROOT)));
    assertThat(headings().stream().filter(NAME_OF_ALERT.asMatchPredicate()))
        .containsExactlyInAnyOrderElementsOf(Shipped.alerts().keySet());
  }

  private static Set<String> headings() throws IOException {
    return HEADING
        .matcher(Files.readString(Fixtures.project().resolve(RUNBOOK)))
        .results()
        .map(heading -> heading.group(1))
        .collect(Collectors.toSet());
  }

  @Test
  void everyAlertIsTestedWhereItFiresAndWhereItMustNot() throws IOException {
    Set<String> firing = new HashSet<>();
    Set<String> silent = new HashSet<>();
    try (Stream<Path> files = Files.list(Shipped.TESTS)) {
      for (Path file : files.toList()) {
        Shipped.list(Shipped.yaml(file), "tests").stream()
            .flatMap(test -> Shipped.list(test, "alert_rule_test").stream())
            .forEach(at ->
                (Shipped.list(at, "exp_alerts").isEmpty() ? silent : firing)
                    .add(String.valueOf(at.get("alertname"))));
      }
    }
    assertThat(firing).isEqualTo(Shipped.alerts().keySet());
    assertThat(silent).isEqualTo(Shipped.alerts().keySet());
  }

  @Test
  void everyInhibitionNamesAlertsThatExist() throws IOException {
    Matcher matcher = NAMED_ALERT.matcher(Files.readString(Shipped.ALERTMANAGER));
    Set<String> named =
        matcher
            .results()
            .flatMap(found -> Stream.of(found.group(1).split("\\|")))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(named).contains("ContextdDown", "NoHealthyCollections", "VectorstoreDegraded");
    assertThat(Shipped.alerts().keySet()).containsAll(named);
  }

  @Test
  void theScrapeHasTheNameThatTheAlertsAskFor() throws IOException {
    List<Map<String, Object>> scrapes =
        Shipped.list(Shipped.yaml(Shipped.PROMETHEUS), "scrape_configs");
    assertThat(scrapes).hasSize(1);
    String name = "job=\"" + scrapes.getFirst().get("job_name") + "\"";
    assertThat(Shipped.alerts())
        .hasEntrySatisfying("ContextdDown", down -> assertThat(down.expression()).contains(name));
  }

  @Test
  void panelsOfTheDashboardAskOnceEachAndDoNotOverlap() throws IOException {
    JsonNode dashboard = new ObjectMapper().readTree(Files.readString(Shipped.DASHBOARD));
    Set<Integer> ids = new HashSet<>();
    Set<String> cells = new HashSet<>();
    for (JsonNode panel : dashboard.path("panels")) {
      assertThat(ids.add(panel.path("id").asInt())).as("%s", panel.path("id")).isTrue();
      assertThat(panel.path("title").asText()).isNotBlank();
      JsonNode place = panel.path("gridPos");
      for (int x = place.path("x").asInt(); x < end(place, "x", "w"); x++) {
        assertThat(x).isLessThan(24);
        for (int y = place.path("y").asInt(); y < end(place, "y", "h"); y++) {
          assertThat(cells.add(x + "," + y)).as("%s overlaps", panel.path("title")).isTrue();
        }
      }
    }
    assertThat(ids).hasSizeGreaterThan(20);
  }

  private static int end(JsonNode place, String begin, String length) {
    return place.path(begin).asInt() + place.path(length).asInt();
  }
}
