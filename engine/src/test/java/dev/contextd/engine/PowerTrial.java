package dev.contextd.engine;

import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.Survivors;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Loses power after every operation of a disk, and looks at what was left.
 *
 * <p>Repeat a failure with {@code -Dseed} and {@code -Dpower.prefix}; look longer with {@code
 * -Dpower.seconds}, which bounds each run.
 */
final class PowerTrial {
  private static final Duration BOUND = Duration.ofSeconds(Long.getLong("power.seconds", 7));

  /**
   * Where a failure is expected it ends the search, which one that is hard to find must not miss.
   */
  private static final Duration LONGER = Duration.ofMinutes(2);

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
  record Failure(int prefix, Survivors survivors, PowerCalls survived, Throwable what) {}

  /** What must hold after power was lost. */
  interface Check {
    void verify(int prefix, PowerCalls survived, Random random) throws IOException;
  }

  long seed() {
    return seed;
  }

  /** How a disk is left. */
  interface End {
    PowerCalls at(int prefix, Survivors survivors, Random random);
  }

  /** Loses power at each place, as many as time allows, until something is not as it must be. */
  Optional<Failure> firstFailure(PowerCalls disk, Check check, String test) {
    return firstFailure(disk, check, test, 0, disk::crash);
  }

  /** As the other one where there is a failure: it is searched for longer. */
  Optional<Failure> expectedFailure(PowerCalls disk, Check check, String test) {
    return firstFailure(disk, check, test, 0, disk::crash, LONGER);
  }

  /**
   * As {@link #firstFailure(PowerCalls, Check, String)}.
   *
   * @param from the first place
   */
  Optional<Failure> firstFailure(PowerCalls disk, Check check, String test, int from, End how) {
    return firstFailure(disk, check, test, from, how, BOUND);
  }

  private Optional<Failure> firstFailure(
      PowerCalls disk, Check check, String test, int from, End how, Duration bound) {
    int all = disk.logLength();
    long end = System.nanoTime() + bound.toNanos();
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
          failure = cut(how, check, prefix, survivors, cuts++);
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

  private Optional<Failure> cut(End how, Check check, int prefix, Survivors survivors, int number) {
    long mixed = new SplittableRandom(seed ^ (prefix * 1_000L + number % CUTS.size())).nextLong();
    Random random = new Random(mixed); // Its first numbers are alike for seeds that are.
    PowerCalls survived = how.at(prefix, survivors, random);
    PowerCalls kept = survived.crash(survived.logLength(), Survivors.EVERYTHING, random);
    try {
      check.verify(prefix, survived, random);
      return Optional.empty();
    } catch (IOException | RuntimeException | AssertionError e) {
      return Optional.of(new Failure(prefix, survivors, kept, e));
    }
  }

  /** Fails where there is a failure, and keeps what was found. */
  void report(PowerCalls disk, Optional<Failure> failure) throws IOException {
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
