package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Page;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.FlakyProxy;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * A daemon in front of a remote store is killed at any moment, while the connection comes and goes:
 * afterwards both stores hold the same, document by document, and all that was acknowledged.
 */
class RemoteKillTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int LONGEST_MILLIS = 400;

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path folder;

  @Test
  void bothSidesAreTheSameAfterKillsAndOutages() throws Exception {
    long seed = Plan.seed("bothSidesAreTheSameAfterKillsAndOutages");
    int rounds = Plan.number("crash.remote.rounds", 5);
    Load load = new Load(seed);
    try (FakeQdrant server = FakeQdrant.open();
        FlakyProxy proxy = FlakyProxy.before(server.port())) {
      Daemon daemon = Daemon.before(folder, proxy.port(), true);
      CountDownLatch over = new CountDownLatch(1);
      Thread flapping = Thread.ofPlatform().start(() -> flap(proxy, new Random(seed), over));
      for (int round = 0; round < rounds; round++) {
        try (Daemon.Running running = daemon.start()) {
          if (round == 0) {
            load.begin(running.api());
          } else {
            load.settle(running.api().view(Client.DIMENSION));
          }
          load.writeUntil(Daemon.Running::kill, running);
        }
      }
      over.countDown();
      flapping.join();
      proxy.mode(FlakyProxy.Mode.PASS);
      requireTheSame(daemon, server, load, seed);
      System.out.printf(
          "killed %d times in front of a remote store: %s, %d calls there%n",
          rounds, load.counts(), server.calls());
    }
  }

  /**
   * The server holds the documents alone; the connection is well while what is there is counted.
   */
  @Test
  void aServerThatHoldsEverythingAloneHasItAfterKillsAndOutages() throws Exception {
    long seed = Plan.seed("aServerThatHoldsEverythingAloneHasItAfterKillsAndOutages");
    int rounds = Plan.number("crash.remote.rounds", 5);
    Load load = new Load(seed, true);
    try (FakeQdrant server = FakeQdrant.open();
        FlakyProxy proxy = FlakyProxy.before(server.port())) {
      Daemon daemon = Daemon.before(folder, proxy.port(), false);
      for (int round = 0; round < rounds; round++) {
        try (Daemon.Running running = daemon.start()) {
          if (round == 0) {
            load.begin(running.api());
          } else {
            load.settle(whole(running.api()));
          }
          CountDownLatch over = new CountDownLatch(1);
          Random random = new Random(seed + round);
          Thread flapping = Thread.ofPlatform().start(() -> flap(proxy, random, over));
          load.writeUntil(Daemon.Running::kill, running);
          over.countDown();
          flapping.join();
          proxy.mode(FlakyProxy.Mode.PASS);
        }
      }
      requireTheSame(daemon, server, load, seed);
      System.out.printf(
          "killed %d times in front of a server that is alone: %s, %d calls there%n",
          rounds, load.counts(), server.calls());
    }
  }

  /** What was acknowledged is served, and lies on the server; the folder here is whole. */
  private static void requireTheSame(Daemon daemon, FakeQdrant server, Load load, long seed)
      throws Exception {
    try (Daemon.Running running = daemon.start();
        QdrantStore remote =
            QdrantStore.open(QdrantOptions.at("127.0.0.1", server.port()), Optional.empty())) {
      load.settle(whole(running.api()));
      Map<String, String> here = texts(whole(running.api()));
      await()
          .atMost(PATIENCE)
          .ignoreExceptionsInstanceOf(StoreException.class) // Collections still come and go.
          .untilAsserted(() -> assertThat(texts(remote)).as("seed " + seed).isEqualTo(here));
      assertThat(running.terminate()).isZero();
    }
    assertThat(StoreRoot.check(daemon.root()).damage())
        .filteredOn(found -> !Promises.current().mayLeave(found))
        .isEmpty();
  }

  /** All that is served, once the remote store answers. */
  private static Map<String, Coll> whole(Api api) {
    AtomicReference<Map<String, Coll>> view = new AtomicReference<>(Map.of());
    await()
        .atMost(PATIENCE)
        .until(() -> {
          try {
            view.set(api.view(Client.DIMENSION));
            return true;
          } catch (AssertionError e) {
            if (String.valueOf(e.getMessage()).contains("remote_unavailable")) {
              return false;
            }
            throw e;
          }
        });
    return Objects.requireNonNull(view.get());
  }

  /** Another mode of the connection every now and then, until it is over. */
  private static void flap(FlakyProxy proxy, Random random, CountDownLatch over) {
    FlakyProxy.Mode[] modes = FlakyProxy.Mode.values();
    try {
      do {
        FlakyProxy.Mode mode = modes[random.nextInt(modes.length)];
        if (mode == FlakyProxy.Mode.RESET) {
          proxy.resetAfterBytes(random.nextInt(20_000));
        } else {
          proxy.mode(random.nextBoolean() ? FlakyProxy.Mode.PASS : mode);
        }
      } while (!over.await(random.nextInt(LONGEST_MILLIS), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Map<String, String> texts(Map<String, Coll> view) {
    Map<String, String> all = new TreeMap<>();
    view.forEach((name, collection) ->
        collection
            .documents()
            .forEach((id, one) ->
                all.put(
                    name + "/" + id,
                    text(
                        one.content(),
                        one.metadataOrEmpty(),
                        one.bits().stream().map(Float::intBitsToFloat).toArray(Float[]::new)))));
    return all;
  }

  private static Map<String, String> texts(DocumentStore store) throws IOException {
    Map<String, String> all = new TreeMap<>();
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      VectorCollection collection =
          store
              .collection(info.name(), Scope.ALL)
              .orElseThrow(() -> new StoreException(ErrorCode.COLLECTION_NOT_FOUND, info.name()));
      for (Optional<String> after = Optional.of(""); after.isPresent(); ) {
        Page page = collection.page(after.filter(id -> !id.isEmpty()), 500);
        page.documents()
            .forEach(one -> {
              Float[] vector = new Float[one.embedding().length];
              for (int i = 0; i < vector.length; i++) {
                vector[i] = one.embedding()[i];
              }
              all.put(info.name() + "/" + one.id(), text(one.content(), one.metadata(), vector));
            });
        after = page.next();
      }
    }
    return all;
  }

  /** Unit vectors that were made unit once more may differ in their last digits. */
  private static String text(String content, Map<String, String> metadata, Float[] vector) {
    StringBuilder text = new StringBuilder(content).append(new TreeMap<>(metadata));
    for (float value : vector) {
      text.append(' ').append(Math.round(value * 1e4));
    }
    return text.toString();
  }
}
