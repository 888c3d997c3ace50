package dev.contextd.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example for Alertmanager, loaded as it is into a real one that is sent alerts. */
class InhibitionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String HERE = "localhost:9090";
  private static final String THERE = "elsewhere:9090";

  @TempDir Path folder;

  private List<Child> started = List.of();

  @BeforeEach
  void start() throws IOException {
    Child alertmanager = Child.alertmanager(Files.readString(Shipped.ALERTMANAGER), folder);
    started = List.of(alertmanager);
  }

  @AfterEach
  void stop() {
    started.forEach(Child::close);
  }

  @Test
  void aDaemonThatIsDownSilencesTheRestOfItsInstanceAndNothingElse() throws IOException {
    Set<String> rest = new TreeSet<>(Shipped.alerts().keySet());
    rest.remove("ContextdDown");
    fire(THERE, "VectorstoreDegraded", "ScannerStale");
    fire(HERE, rest);
    fire(HERE, "ContextdDown");
    awaitSilenced(HERE, rest);
    assertThat(silenced(THERE)).isEmpty();
  }

  @Test
  void nothingHealthySilencesDegradedOfTheSameInstance() throws IOException {
    fire(THERE, "VectorstoreDegraded");
    fire(HERE, "NoHealthyCollections", "VectorstoreDegraded", "CorruptCollectionsDetected");
    awaitSilenced(HERE, Set.of("VectorstoreDegraded"));
    assertThat(silenced(THERE)).isEmpty();
  }

  @Test
  void aCauseSilencesWhatFollowsFromIt() throws IOException {
    Set<String> consequences = Set.of("JournalLagging", "JournalNearlyFull");
    fire(THERE, "JournalCheckpointFailing", "VectorstoreDiskNearlyFull");
    fire(THERE, "RemoteBacklogOld"); // Its cause is another instance's.
    fire(THERE, consequences);
    awaitSilenced(THERE, consequences);
    fire(HERE, "RemoteDown", "RemoteBacklogOld");
    fire(HERE, "VectorstoreDiskFull", "VectorstoreDiskNearlyFull", "JournalCheckpointFailing");
    fire(HERE, consequences);
    Set<String> all = new TreeSet<>(consequences);
    all.addAll(Set.of("VectorstoreDiskNearlyFull", "JournalCheckpointFailing", "RemoteBacklogOld"));
    awaitSilenced(HERE, all);
  }

  @Test
  void withoutACauseEveryAlertIsHeard() throws IOException {
    fire(HERE, "VectorstoreDegraded", "JournalLagging", "VectorstoreDiskNearlyFull");
    fire(THERE, "ContextdDown", "VectorstoreDegraded");
    awaitSilenced(THERE, Set.of("VectorstoreDegraded"));
    assertThat(silenced(HERE)).isEmpty();
  }

  private void fire(String instance, String... alerts) throws IOException {
    fire(instance, Arrays.asList(alerts));
  }

  private void fire(String instance, Collection<String> alerts) throws IOException {
    List<Map<String, Object>> body =
        alerts.stream()
            .map(alert ->
                Map.<String, Object>of(
                    "labels", Map.of("alertname", alert, "job", "contextd", "instance", instance)))
            .toList();
    started.getFirst().post("/api/v2/alerts", body);
  }

  /** It learns of causes behind the call that sends them. */
  private void awaitSilenced(String instance, Set<String> alerts) {
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(silenced(instance)).isEqualTo(alerts));
  }

  /** The alerts of an instance that the Alertmanager holds back. */
  private Set<String> silenced(String instance) throws IOException {
    return alerts()
        .filter(alert -> alert.path("labels").path("instance").asText().equals(instance))
        .filter(alert -> !alert.path("status").path("inhibitedBy").isEmpty())
        .map(alert -> alert.path("labels").path("alertname").asText())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Stream<JsonNode> alerts() throws IOException {
    return started.getFirst().get("/api/v2/alerts").valueStream();
  }
}
