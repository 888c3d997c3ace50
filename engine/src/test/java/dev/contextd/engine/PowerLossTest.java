package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.SyncSite;
import java.time.Duration;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Power is lost after every operation of a store's disk, and what was not synced survives or not.
 *
 * <p>Repeat a failure with {@code -Dseed} and {@code -Dpower.prefix}, of one writer exactly, of
 * several as their threads allow; look longer with {@code -Dpower.seconds}, which bounds each test.
 */
class PowerLossTest {
  private static final int CALLS = 30;

  /** More syncs of everything make the others hard to miss. */
  private static final Set<Site> MERGING = Set.of(Site.MERGED_PACK, Site.NAMES_OF_MERGED_PACKS);

  private final PowerTrial trial = new PowerTrial();

  /** In which packs are merged as well. */
  private PowerWorkload workload(PowerCalls disk, int writers, int calls) throws Exception {
    return PowerWorkload.run(
        disk,
        trial.seed(),
        writers,
        calls,
        StoreOptions.defaults(),
        (store, random) -> {
          switch (random.nextInt(6)) {
            case 0, 1 -> store.checkpoint();
            case 2 -> store.purge(Duration.ZERO);
            default -> {
              // On with writing.
            }
          }
        });
  }

  @Test
  void nothingAcknowledgedIsLost() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload = PowerWorkload.run(disk, trial.seed(), 1, CALLS);
    trial.report(disk, trial.firstFailure(disk, check(workload), "nothingAcknowledgedIsLost"));
  }

  @Test
  void nothingAcknowledgedToOneOfSeveralWritersIsLost() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload = workload(disk, 3, CALLS / 2);
    trial.report(
        disk,
        trial.firstFailure(
            disk, check(workload), "nothingAcknowledgedToOneOfSeveralWritersIsLost"));
  }

  /** Every place where something becomes durable that an acknowledged call needs. */
  enum Site {
    JOURNAL(SyncSite.Call.FILE, "[0-9a-f]{16}[.]log"),
    NAMES_OF_SEGMENTS(SyncSite.Call.DIRECTORY, "journal"),
    CHECKPOINT(SyncSite.Call.FILE_SYSTEM, PowerWorkload.ROOT_NAME),
    MANIFEST(SyncSite.Call.FILE, "manifest([.]copy)?[.][0-9]+[.]tmp"),
    NAMES_OF_MANIFESTS(SyncSite.Call.DIRECTORY, "[.]contextd"),
    MERGED_PACK(SyncSite.Call.FILE, "[0-9a-f]{16}[.]pack"),
    NAMES_OF_MERGED_PACKS(SyncSite.Call.DIRECTORY, "packs"),
    METADATA(SyncSite.Call.FILE, "00000000[.]gob[.].*tmp"),
    NAMES_OF_COLLECTIONS(SyncSite.Call.DIRECTORY, PowerWorkload.ROOT_NAME),
    NAME_OF_THE_ROOT(SyncSite.Call.DIRECTORY, PowerWorkload.PARENT_NAME);

    private final SyncSite site;

    Site(SyncSite.Call call, String name) {
      Predicate<String> matches = Pattern.compile(name).asMatchPredicate();
      site = (found, path) -> found == call && matches.test(String.valueOf(path.getFileName()));
    }
  }

  @ParameterizedTest
  @EnumSource
  void noSyncIsInVain(Site site) throws Exception {
    PowerCalls lying = new PowerCalls().without(site.site);
    PowerWorkload workload =
        MERGING.contains(site)
            ? workload(lying, 1, CALLS)
            : PowerWorkload.run(lying, trial.seed(), 1, CALLS);
    assertThat(lying.ignored()).as("syncs at this site").isPositive();
    assertThat(trial.expectedFailure(lying, check(workload), "noSyncIsInVain " + site))
        .as("what is lost without the sync of %s, seed %d", site, trial.seed())
        .isPresent();
  }

  /** Nothing was lost yet, but nothing that the next process finds need be durable either. */
  @Test
  void nothingAcknowledgedIsLostWhenPowerFailsAfterAKill() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload = PowerWorkload.run(disk, trial.seed(), 1, CALLS);
    trial.report(
        disk,
        trial.firstFailure(
            disk,
            check(workload),
            "nothingAcknowledgedIsLostWhenPowerFailsAfterAKill",
            PowerCut.OPENING_SECURES_WHAT_IT_FOUND ? 0 : workload.firstCall(),
            (prefix, _, _) -> disk.kill(prefix)));
  }

  private static PowerTrial.Check check(PowerWorkload workload) {
    return (prefix, survived, random) -> new PowerCut(workload, prefix, survived).verify(random);
  }
}
