package dev.contextd.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.testkit.DaemonProcess;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The daemon as a process, scraped by a real Prometheus whose alerts reach a webhook through a real
 * Alertmanager, with the files that ship. What is damaged is told, to the right receiver, and what
 * is repaired is taken back; in both formats of the metrics.
 */
class WatchedTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final List<String> BOTH = List.of(Watch.OPEN_METRICS, Watch.TEXT);
  private static final Pattern METRIC = Pattern.compile("\\b(contextd|jvm|process)_[a-z_]+\\b");
  private static final String MEMORIES = "e9f85bf6"; // The folder of contextd_memories.
  private static final String METADATA = "00000000.gob";
  private static final String CHECKPOINTS = "a1ef3a3d"; // Of contextd_checkpoints.
  private static final Path PLAIN = Fixtures.path("chromem-go/plain");
  private static final Set<String> EXPECTED =
      Set.of(
          "ContextdDown",
          "CorruptCollectionsDetected",
          "QuarantineAwaitsReview",
          "QuarantineOperationOccurred",
          "RepairsMade",
          "VectorstoreDegraded");

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private DaemonProcess start(int port) throws IOException {
    Path settings = root.beside("home/.config/contextd/config.yaml");
    Files.createDirectories(settings.resolveSibling(""));
    Files.writeString(
        settings,
        """
        embeddings:
          provider: none
        health:
          scan_interval: 10s
        vectorstore:
          recovery: quarantine
        """);
    return DaemonProcess.start(
        root.beside(""),
        "--http-port",
        String.valueOf(port),
        "--vectorstore-path",
        root.path().toString());
  }

  @Test
  void damageIsToldToTheRightReceiverAndItsRepairTakesItBack() throws Exception {
    Files.delete(root.copyOf("chromem-go/plain").resolve(MEMORIES).resolve(METADATA));
    Files.move(root.path().resolve(CHECKPOINTS), root.beside(CHECKPOINTS));
    try (DaemonProcess daemon = start(0);
        Watch watch = new Watch(daemon.port(), root.beside(""))) {
      whatWasDamagedWhileItStoodStillIsTold(watch);
      assertThat(daemon.terminate()).isZero();
      watch.awaitFiring("ContextdDown", Watch.OPEN_METRICS, "on-call");
      putBack(MEMORIES);
      try (DaemonProcess again = start(daemon.port())) {
        whatIsRepairedAndUpAgainIsTakenBack(watch);
        whatIsMendedWhileItRunsIsTold(watch);
        whatCannotBeMendedWhileItRunsIsToldAndTakenBack(watch);
        everythingThatIsAskedForExists(watch);
        assertThat(again.terminate()).isZero();
      }
      // This machine's disk may be nearly full.
      assertThat(watch.fired().stream().filter(alert -> !alert.startsWith("VectorstoreDisk")))
          .containsExactlyInAnyOrderElementsOf(EXPECTED);
    }
  }

  private void whatWasDamagedWhileItStoodStillIsTold(Watch watch) {
    for (String job : BOTH) {
      watch.awaitFiring("CorruptCollectionsDetected", job, "on-call");
      watch.awaitFiring("VectorstoreDegraded", job, "chat");
      watch.awaitFiring("QuarantineOperationOccurred", job, "chat");
    }
  }

  /** As the runbook says: the folder out of quarantine, with its metadata, and back at once. */
  private void putBack(String folder) throws IOException {
    Path quarantine = root.path().resolve(".quarantine");
    await().atMost(PATIENCE).until(() -> Files.exists(quarantine.resolve(folder + ".json")));
    Path whole = root.beside("whole-" + folder);
    Files.move(quarantine.resolve(folder), whole);
    Files.move(quarantine.resolve(folder + ".json"), root.beside(folder + ".json"));
    Files.copy(PLAIN.resolve(folder).resolve(METADATA), whole.resolve(METADATA));
    Files.move(whole, root.path().resolve(folder));
  }

  private static void whatIsRepairedAndUpAgainIsTakenBack(Watch watch) {
    watch.awaitResolved("ContextdDown", Watch.OPEN_METRICS);
    for (String job : BOTH) {
      watch.awaitValue("contextd_vectorstore_health_status{job=\"" + job + "\"} == 1");
      watch.awaitResolved("CorruptCollectionsDetected", job);
      watch.awaitResolved("VectorstoreDegraded", job);
      watch.awaitResolved("QuarantineOperationOccurred", job);
    }
  }

  private void whatIsMendedWhileItRunsIsTold(Watch watch) throws IOException {
    Path metadata = root.path().resolve(MEMORIES).resolve(METADATA);
    Files.delete(metadata);
    for (String job : BOTH) {
      watch.awaitFiring("RepairsMade", job, "digest");
    }
    assertThat(metadata).isNotEmptyFile();
  }

  /** A folder that nobody here ever served, and that was damaged before it came. */
  private void whatCannotBeMendedWhileItRunsIsToldAndTakenBack(Watch watch) throws IOException {
    Files.delete(root.beside(CHECKPOINTS).resolve(METADATA));
    Files.move(root.beside(CHECKPOINTS), root.path().resolve(CHECKPOINTS));
    for (String job : BOTH) {
      watch.awaitFiring("CorruptCollectionsDetected", job, "on-call");
      watch.awaitFiring("VectorstoreDegraded", job, "chat");
      watch.awaitFiring("QuarantineOperationOccurred", job, "chat");
    }
    putBack(CHECKPOINTS);
    for (String job : BOTH) {
      watch.awaitResolved("CorruptCollectionsDetected", job);
      watch.awaitResolved("VectorstoreDegraded", job);
      watch.awaitValue(
          "contextd_vectorstore_documents{collection=\"contextd_checkpoints\",job=\"%s\"} == 40"
              .formatted(job));
    }
  }

  /** What alerts and dashboard ask for is there, and the same in both formats. */
  private static void everythingThatIsAskedForExists(Watch watch) throws IOException {
    Set<String> names = watch.names(Watch.OPEN_METRICS);
    assertThat(watch.names(Watch.TEXT)).isEqualTo(names);
    assertThat(watch.contentTypesOfText()).allMatch(type -> type.startsWith("text/plain"));
    String asked = Files.readString(Shipped.ALERTS) + Files.readString(Shipped.DASHBOARD);
    assertThat(names).containsAll(METRIC.matcher(asked).results().map(MatchResult::group).toList());
    for (String expression : Shipped.dashboardExpressions()) {
      String filled =
          expression
              .replace("$job", Watch.OPEN_METRICS)
              .replace("$instance", ".+")
              .replace("$__rate_interval", "10s");
      if (!filled.contains("status!~")) { // Nobody called wrongly.
        watch.awaitValue(filled);
      }
    }
  }
}
