package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.SyncSite;
import java.io.IOException;
import java.util.Random;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Power is lost after every operation of the disk of a store whose writes go to a remote: whatever
 * survives, the remote has all that was acknowledged, or is told it, in order and without a gap.
 *
 * <p>Repeated as {@link PowerTrial} says.
 */
class OutboxPowerLossTest {
  private static final int CALLS = 25;
  private static final StoreOptions OPTIONS =
      StoreOptions.defaults().withKeeper(KeeperOptions.defaults().withOutbox(true));

  private final PowerTrial trial = new PowerTrial();

  /** A workload that was run to its end, with a remote behind it. */
  private record Run(PowerWorkload workload, PowerRemote remote) {}

  private Run run(PowerCalls disk, int writers, int calls) throws Exception {
    PowerRemote remote = new PowerRemote(disk);
    return new Run(
        PowerWorkload.run(disk, trial.seed(), writers, calls, OPTIONS, remote::turn), remote);
  }

  @Test
  void theRemoteGetsEverythingThatWasAcknowledged() throws Exception {
    PowerCalls disk = new PowerCalls();
    Run run = run(disk, 1, CALLS);
    trial.report(disk, trial.firstFailure(disk, check(run), "theRemoteGetsEverything"));
  }

  @Test
  void theRemoteGetsWhatSeveralWritersWrote() throws Exception {
    PowerCalls disk = new PowerCalls();
    Run run = run(disk, 3, CALLS / 2);
    trial.report(disk, trial.firstFailure(disk, check(run), "theRemoteGetsWhatSeveralWrote"));
  }

  @Test
  void theRemoteGetsEverythingWhenPowerFailsAfterAKill() throws Exception {
    PowerCalls disk = new PowerCalls();
    Run run = run(disk, 1, CALLS);
    trial.report(
        disk,
        trial.firstFailure(
            disk,
            check(run),
            "theRemoteGetsEverythingWhenPowerFailsAfterAKill",
            0,
            (prefix, _, _) -> disk.kill(prefix)));
  }

  /** Every place where something becomes durable on the way of a segment through the outbox. */
  enum Site {
    STATE(SyncSite.Call.FILE, "state[.][0-9]+[.]tmp"),
    NAMES(SyncSite.Call.DIRECTORY, "outbox");

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
    Run run = run(lying, 1, CALLS);
    assertThat(lying.ignored()).as("syncs at this site").isPositive();
    assertThat(trial.expectedFailure(lying, check(run), "outbox: noSyncIsInVain " + site))
        .as("what is lost without the sync of %s, seed %d", site, trial.seed())
        .isPresent();
  }

  private static PowerTrial.Check check(Run run) {
    return (prefix, survived, random) -> verify(run, prefix, survived, random);
  }

  /** After the first loss of power all of it is sent, or some, and power is lost again. */
  private static void verify(Run run, int prefix, PowerCalls left, Random random)
      throws IOException {
    PowerRemote remote = run.remote().at(prefix, left);
    int before = left.logLength();
    try (VectorStore store = PowerWorkload.open(left, OPTIONS)) {
      remote.meet(store);
      PowerCut.requireAcknowledged(run.workload(), prefix, store);
      PowerCut.write(store);
      if (random.nextBoolean()) {
        remote.takeAll(store);
        remote.requireSame(store);
      } else {
        remote.turn(store, random);
      }
    }
    int again = before + random.nextInt(left.logLength() + 1 - before);
    PowerCalls second = left.crash(again, random);
    remote = remote.at(again, second);
    try (VectorStore store = PowerWorkload.open(second, OPTIONS)) {
      remote.meet(store);
      PowerCut.requireAcknowledged(run.workload(), prefix, store);
      remote.takeAll(store);
      remote.requireSame(store);
    }
  }
}
