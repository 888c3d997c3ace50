package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.check.Damage;
import dev.contextd.testkit.ChromemGo;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * A daemon that is killed at any moment loses nothing that it acknowledged, brings nothing back,
 * and leaves after a signal a folder that is whole. A folder on which this fails is kept.
 */
class KillTest {
  private static final int HEALTHY = 200;

  private static Optional<ChromemGo> chromemGo = Optional.empty();

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path folder;

  @BeforeAll
  static void build() throws Exception {
    chromemGo = ChromemGo.build();
  }

  @Test
  void everyAcknowledgedWriteOutlivesAKill() throws Exception {
    long seed = Plan.seed("everyAcknowledgedWriteOutlivesAKill");
    int rounds = Plan.number("crash.kill.rounds", 10);
    boolean compress = seed % 2 != 0;
    Daemon daemon = Daemon.in(folder, compress);
    Load load = new Load(seed);
    for (int round = 0; round < rounds; round++) {
      String where = "seed %d, round %d, in %s".formatted(seed, round, folder);
      try (Daemon.Running running = daemon.start()) {
        beginOrVerify(load, running, round, where);
        load.writeUntil(Daemon.Running::kill, running);
      }
    }
    try (Daemon.Running running = daemon.start()) {
      verify(load, running, "seed " + seed + ", after the last kill, in " + folder);
      assertThat(running.terminate()).as("exit code").isZero();
    }
    requireWhole(load, daemon.root(), compress);
    System.out.printf("killed %d times, compress %s: %s%n", rounds, compress, load.counts());
  }

  @Test
  void everyAnswerOutlivesASignalAmidWrites() throws Exception {
    long seed = Plan.seed("everyAnswerOutlivesASignalAmidWrites");
    int rounds = Plan.number("crash.term.rounds", 3);
    boolean compress = seed % 2 != 0;
    Daemon daemon = Daemon.in(folder, compress);
    Load load = new Load(seed);
    for (int round = 0; round < rounds; round++) {
      String where = "seed %d, round %d, in %s".formatted(seed, round, folder);
      try (Daemon.Running running = daemon.start()) {
        beginOrVerify(load, running, round, where);
        load.writeUntil(
            struck -> assertThat(struck.terminate()).as("exit code, " + where).isZero(), running);
      }
      settle(load, () -> Views.ofFiles(daemon.root()), where);
      requireWhole(load, daemon.root(), compress);
    }
    System.out.printf("stopped %d times, compress %s: %s%n", rounds, compress, load.counts());
  }

  private static void beginOrVerify(Load load, Daemon.Running running, int round, String where)
      throws IOException {
    if (round == 0) {
      load.begin(running.api());
    } else {
      verify(load, running, where);
    }
  }

  private static void verify(Load load, Daemon.Running running, String where) throws IOException {
    assertThat(running.api().healthStatus()).as("health, " + where).isEqualTo(HEALTHY);
    settle(load, () -> running.api().view(Client.DIMENSION), where + running.opening());
  }

  /** Tells what is there. */
  @FunctionalInterface
  private interface Teller {
    Map<String, ChromemGo.Coll> view() throws IOException;
  }

  private static void settle(Load load, Teller teller, String where) throws IOException {
    try {
      load.settle(teller.view());
    } catch (AssertionError e) {
      throw new AssertionError(where + ": " + e.getMessage(), e);
    }
  }

  /** After a signal the files alone tell everything, to us and to chromem-go. */
  private static void requireWhole(Load load, Path root, boolean compress) throws Exception {
    assertThat(StoreRoot.check(root).damage())
        .filteredOn((Damage found) -> !Promises.current().mayLeave(found))
        .as("the check of %s", root)
        .isEmpty();
    assertThat(root.resolve(".quarantine")).doesNotExist();
    assertThat(journal(root)).as("the journal").isEmpty();
    assertThat(Views.ofFiles(root)).as("the files").isEqualTo(load.expected());
    if (chromemGo.isPresent()) {
      assertThat(ChromemGo.withoutNull(chromemGo.get().dump(root, compress)))
          .as("what chromem-go sees")
          .isEqualTo(load.expected());
    }
  }

  /** The files of the journal that hold anything. */
  private static List<Path> journal(Path root) throws IOException {
    Path journal = root.resolve(".contextd/journal");
    if (!Files.exists(journal)) {
      return List.of();
    }
    try (Stream<Path> walk = Files.walk(journal)) {
      return walk.filter(path -> Files.isRegularFile(path) && path.toFile().length() > 0).toList();
    }
  }
}
