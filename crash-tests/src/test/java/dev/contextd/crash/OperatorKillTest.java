package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.crash.Api.Answer;
import dev.contextd.crash.Api.Call;
import dev.contextd.storage.chromem.Names;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * A daemon that is killed in the middle of a backup, a restore or a repair: what was there is there
 * again, or running it again finishes it. A folder on which this fails is kept.
 */
class OperatorKillTest {
  private static final String ADMIN = "/api/v1/admin";
  private static final List<String> COLLECTIONS = List.of("first", "second", "org_memories");
  private static final String PROVABLE = "org_memories";
  private static final int DOCUMENTS = 600;
  private static final int BATCH = 200;
  private static final int MAX_MILLIS = 120;
  private static final int HEALTHY = 200;

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path folder;

  private Daemon daemon() throws IOException {
    Daemon daemon = Daemon.in(folder, false);
    Files.writeString(
        folder.resolve("home/.config/contextd/config.yaml"),
        "{vectorstore: {recovery: quarantine}, embeddings: {provider: none}}\n");
    return daemon;
  }

  private static void fill(Api api, Random random) throws IOException {
    for (String collection : COLLECTIONS) {
      for (int from = 0; from < DOCUMENTS; from += BATCH) {
        List<Map<String, ?>> documents = new ArrayList<>();
        for (int i = from; i < from + BATCH; i++) {
          float[] vector = new float[Client.DIMENSION];
          for (int j = 0; j < vector.length; j++) {
            vector[j] = (float) random.nextGaussian();
          }
          documents.add(
              Map.of(
                  "id",
                  "d" + i,
                  "content",
                  "text " + i,
                  "embedding",
                  vector,
                  "metadata",
                  Map.of()));
        }
        done(api, Call.post(Api.documents(collection), Map.of("documents", documents)));
      }
    }
  }

  private static Answer done(Api api, Call call) throws IOException {
    Answer answer = api.send(call);
    assertThat(answer.isFine()).as("%s gave %s", call.path(), answer).isTrue();
    return answer;
  }

  /** Kills the daemon a moment after the call was sent, or as soon as it was answered. */
  private static boolean killDuring(Daemon.Running running, Call call, Random random)
      throws InterruptedException {
    boolean[] isAnswered = {false};
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                isAnswered[0] = running.api().send(call).isFine();
              } catch (IOException e) {
                isAnswered[0] = false; // The kill was quicker.
              }
            });
    caller.join(Duration.ofMillis(random.nextInt(MAX_MILLIS)));
    running.kill();
    caller.join();
    return isAnswered[0];
  }

  @Test
  void backupsRestoresAndRepairsOutliveAKill() throws Exception {
    long seed = Plan.seed("backupsRestoresAndRepairsOutliveAKill");
    int rounds = Plan.number("crash.operator.rounds", 6);
    Random random = new Random(seed);
    Daemon daemon = daemon();
    Map<String, Coll> expected;
    try (Daemon.Running running = daemon.start()) {
      fill(running.api(), random);
      expected = running.api().view(Client.DIMENSION);
      assertThat(running.terminate()).isZero();
    }
    int answered = 0;
    for (int round = 0; round < rounds; round++) {
      String where = "seed %d, round %d, in %s".formatted(seed, round, folder);
      answered +=
          switch (round % 3) {
            case 0 -> backup(daemon, random, where);
            case 1 -> restore(daemon, random, where);
            default -> repair(daemon, random, where);
          };
      try (Daemon.Running running = daemon.start()) {
        assertThat(running.api().healthStatus()).as(where + running.opening()).isEqualTo(HEALTHY);
        assertThat(running.api().view(Client.DIMENSION)).as(where).isEqualTo(expected);
        assertThat(running.terminate()).as(where).isZero();
      }
    }
    assertThat(StoreRoot.check(daemon.root()).damage())
        .filteredOn(found -> !Promises.current().mayLeave(found))
        .isEmpty();
    System.out.printf("killed %d times, %d of them after the answer%n", rounds, answered);
  }

  private static int backup(Daemon daemon, Random random, String where) throws Exception {
    Call create = Call.post(ADMIN + "/backups/create", Map.of());
    boolean isAnswered;
    try (Daemon.Running running = daemon.start()) {
      isAnswered = killDuring(running, create, random);
    }
    try (Daemon.Running running = daemon.start()) {
      Api api = running.api();
      var backups = done(api, Call.get(ADMIN + "/backups")).body().path("backups");
      for (var one : backups) {
        Call verify =
            Call.post(ADMIN + "/backups/verify", Map.of("name", one.path("name").asText()));
        assertThat(done(api, verify).body().path("fault").isNull()).as(where + one).isTrue();
      }
      done(api, create);
      assertThat(running.terminate()).as(where).isZero();
    }
    return isAnswered ? 1 : 0;
  }

  private static int restore(Daemon daemon, Random random, String where) throws Exception {
    Call restore = Call.post(ADMIN + "/backups/restore", Map.of());
    boolean isAnswered;
    try (Daemon.Running running = daemon.start()) {
      isAnswered = killDuring(running, restore, random);
    }
    try (Daemon.Running running = daemon.start()) {
      done(running.api(), restore);
      assertThat(running.terminate()).as(where).isZero();
    }
    return isAnswered ? 1 : 0;
  }

  /** A folder that nobody knows has lost its metadata, and is in quarantine by the settings. */
  private static int repair(Daemon daemon, Random random, String where) throws Exception {
    Files.delete(daemon.root().resolve(Names.hash(PROVABLE)).resolve("00000000.gob"));
    removeTree(daemon.root().resolve(".contextd"));
    Call repair = Call.post(ADMIN + "/repair", Map.of("dry_run", false));
    boolean isAnswered;
    try (Daemon.Running running = daemon.start()) {
      assertThat(running.api().healthStatus()).as(where).isNotEqualTo(HEALTHY);
      isAnswered = killDuring(running, repair, random);
    }
    try (Daemon.Running running = daemon.start()) {
      Api api = running.api();
      done(api, repair);
      if (api.healthStatus() != HEALTHY) {
        done(api, Call.post(ADMIN + "/metadata/recover", Map.of("name", PROVABLE)));
      }
      assertThat(running.terminate()).as(where).isZero();
    }
    return isAnswered ? 1 : 0;
  }

  private static void removeTree(Path tree) throws IOException {
    try (var walk = Files.walk(tree)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
