package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.Survivors;
import dev.contextd.testkit.SyncSite;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
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
  private static final Duration BOUND = Duration.ofSeconds(Long.getLong("power.seconds", 10));
  private static final int CALLS = 30;

  /** What survives at each place: each of the plain outcomes, and some by chance. */
  private static final List<Survivors> CUTS =
      List.of(
          Survivors.NOTHING,
          Survivors.EVERYTHING,
          Survivors.NAMES,
          Survivors.CONTENT,
          Survivors.ANY,
          Survivors.ANY,
          Survivors.ANY);

  private static final int SHOWN_OPERATIONS = 12;

  private final long seed = Long.getLong("seed", System.nanoTime());

  /** A loss of power after which not everything was as it must be. */
  private record Failure(int prefix, Survivors survivors, PowerCalls survived, Throwable what) {}

  @Test
  void nothingAcknowledgedIsLost() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload = PowerWorkload.run(disk, seed, 1, CALLS);
    report(disk, firstFailure(disk, workload, "nothingAcknowledgedIsLost"));
  }

  @Test
  void nothingAcknowledgedToOneOfSeveralWritersIsLost() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload = PowerWorkload.run(disk, seed, 3, CALLS / 2);
    report(disk, firstFailure(disk, workload, "nothingAcknowledgedToOneOfSeveralWritersIsLost"));
  }

  /** Every place where something becomes durable that an acknowledged call needs. */
  enum Site {
    JOURNAL(SyncSite.Call.FILE, "[0-9a-f]{16}[.]log"),
    NAMES_OF_SEGMENTS(SyncSite.Call.DIRECTORY, "journal"),
    CHECKPOINT(SyncSite.Call.FILE_SYSTEM, PowerWorkload.ROOT_NAME),
    MANIFEST(SyncSite.Call.FILE, "manifest([.]copy)?[.][0-9]+[.]tmp"),
    NAMES_OF_MANIFESTS(SyncSite.Call.DIRECTORY, "[.]contextd"),
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
    PowerWorkload workload = PowerWorkload.run(lying, seed, 1, CALLS);
    assertThat(lying.ignored()).as("syncs at this site").isPositive();
    assertThat(firstFailure(lying, workload, "noSyncIsInVain " + site))
        .as("what is lost without the sync of %s, seed %d", site, seed)
        .isPresent();
  }

  /** Nothing was lost yet, but nothing that the next process finds need be durable either. */
  @Test
  void nothingAcknowledgedIsLostWhenPowerFailsAfterAKill() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload = PowerWorkload.run(disk, seed, 1, CALLS);
    report(
        disk,
        firstFailure(
            disk,
            workload,
            "nothingAcknowledgedIsLostWhenPowerFailsAfterAKill",
            PowerCut.OPENING_SECURES_WHAT_IT_FOUND ? 0 : workload.firstCall(),
            (prefix, _, _) -> disk.kill(prefix)));
  }

  /** How a disk is left. */
  private interface End {
    PowerCalls at(int prefix, Survivors survivors, Random random);
  }

  private Optional<Failure> firstFailure(PowerCalls disk, PowerWorkload workload, String test) {
    return firstFailure(disk, workload, test, 0, disk::crash);
  }

  private Optional<Failure> firstFailure(
      PowerCalls disk, PowerWorkload workload, String test, int from, End how) {
    int all = disk.logLength();
    long end = System.nanoTime() + BOUND.toNanos();
    int prefixes = 0;
    int cuts = 0;
    Optional<Failure> failure = Optional.empty();
    for (int prefix : prefixes(from, all)) {
      if (failure.isPresent() || (prefixes > 0 && System.nanoTime() > end)) {
        break;
      }
      prefixes++;
      for (Survivors survivors : CUTS) {
        if (failure.isEmpty()) {
          failure = cut(how, workload, prefix, survivors, cuts++);
        }
      }
    }
    System.out.printf(
        "%s: power lost at %d of %d places, %d times, %s; repeat with -Dseed=%d%n",
        test,
        prefixes,
        all + 1 - from,
        cuts,
        failure.isPresent() ? "once too often" : "in vain",
        seed);
    return failure;
  }

  /** The end first, then all others in random order, as many as time allows. */
  private List<Integer> prefixes(int from, int all) {
    Integer only = Integer.getInteger("power.prefix");
    if (only != null) {
      return List.of(only);
    }
    List<Integer> prefixes = new ArrayList<>(IntStream.range(from, all).boxed().toList());
    Collections.shuffle(prefixes, new Random(seed));
    prefixes.addFirst(all);
    return prefixes;
  }

  private Optional<Failure> cut(
      End how, PowerWorkload workload, int prefix, Survivors survivors, int number) {
    long mixed = new SplittableRandom(seed ^ (prefix * 1_000L + number % CUTS.size())).nextLong();
    Random random = new Random(mixed); // Its first numbers are alike for seeds that are.
    PowerCalls survived = how.at(prefix, survivors, random);
    PowerCalls kept = survived.crash(survived.logLength(), Survivors.EVERYTHING, random);
    try {
      new PowerCut(workload, prefix, survived).verify(random);
      return Optional.empty();
    } catch (IOException | RuntimeException | AssertionError e) {
      return Optional.of(new Failure(prefix, survivors, kept, e));
    }
  }

  private void report(PowerCalls disk, Optional<Failure> failure) throws IOException {
    if (failure.isEmpty()) {
      return;
    }
    int prefix = failure.get().prefix();
    Path folder = Path.of("target", "power-loss", seed + "-" + prefix + "-" + System.nanoTime());
    failure.get().survived().materialise(folder);
    throw new AssertionError(
        """
        power lost after %d of %d operations, %s survived of what was not synced
        repeat with -Dseed=%d -Dpower.prefix=%d; what was found then lies in %s
        %s
        the last operations were:
          %s\
        """
            .formatted(
                prefix,
                disk.logLength(),
                failure.get().survivors(),
                seed,
                prefix,
                folder,
                failure.get().what().getMessage(),
                String.join("\n  ", disk.describe(prefix - SHOWN_OPERATIONS, prefix))),
        failure.get().what());
  }
}
