package dev.contextd.crash;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.crash.Api.Call;
import dev.contextd.crash.Ledger.Part;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.ChromemGo.Doc;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** All clients of a daemon together: they write until it is struck, and know what must be there. */
final class Load {
  private static final int CLIENTS = 4;
  private static final int MOST_CALLS = 80;
  private static final int MOST_LATER_NANOS = 5_000_000;

  private final Random random;
  private final List<Client> clients;
  private final Promises promises = Promises.current();
  private int cutWritesFound;

  Load(long seed) {
    this(seed, false);
  }

  /**
   * @param needsRemote whether the daemon asks a remote store, which may be away
   */
  Load(long seed, boolean needsRemote) {
    this.random = new Random(seed);
    this.clients =
        IntStream.range(0, CLIENTS).mapToObj(i -> new Client(i, seed, needsRemote)).toList();
  }

  /** Ends a daemon, one way or another. */
  @FunctionalInterface
  interface Strike {
    void at(Daemon.Running daemon) throws InterruptedException;
  }

  void begin(Api api) throws IOException {
    for (String name : Client.SHARED) {
      assertThat(api.send(Call.post("/api/v1/collections", Map.of("name", name))).status())
          .isEqualTo(201);
    }
  }

  /** Lets the clients write, strikes in the midst of it, and waits until they notice. */
  void writeUntil(Strike strike, Daemon.Running daemon)
      throws InterruptedException, ExecutionException {
    Moment moment = new Moment(random.nextInt(1, MOST_CALLS), random.nextInt(0, MOST_LATER_NANOS));
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
      List<Future<?>> running = new ArrayList<>();
      for (Client client : clients) {
        running.add(threads.submit(() -> client.run(daemon.api(), moment)));
      }
      try {
        moment.await();
        strike.at(daemon);
      } finally {
        daemon.close(); // Whatever went wrong, the clients end, and what they met comes first.
        for (Future<?> client : running) {
          client.get();
        }
      }
    }
  }

  /** Holds every acknowledged write against what was found. */
  void settle(Map<String, Coll> found) {
    Map<String, Coll> rest = new TreeMap<>(found);
    for (Client client : clients) {
      Map<String, Part> parts = new TreeMap<>();
      for (String name : client.own()) {
        Coll own = rest.remove(name);
        if (own != null) {
          parts.put(name, Part.of(own.withoutNull().documents()));
        }
      }
      for (String name : Client.SHARED) {
        Coll all = found.get(name);
        assertThat(all).as(name).isNotNull();
        Map<String, Doc> shared = new TreeMap<>(requireNonNull(all).withoutNull().documents());
        shared.keySet().removeIf(id -> !id.startsWith(client.prefix()));
        parts.put(name, Part.of(shared));
      }
      if (client.ledger().settle(parts, promises)) {
        cutWritesFound++;
      }
    }
    assertThat(rest).as("collections that nobody created").containsOnlyKeys(Client.SHARED);
    assertThat(found).as("all documents").isEqualTo(expected());
  }

  /** All that was acknowledged. */
  Map<String, Coll> expected() {
    Map<String, Coll> all = new TreeMap<>();
    for (Client client : clients) {
      client
          .ledger()
          .parts()
          .forEach((name, part) -> {
            if (part.exists()) {
              all.computeIfAbsent(name, _ -> new Coll(Map.of(), new TreeMap<>()))
                  .documents()
                  .putAll(part.documents());
            }
          });
    }
    return all;
  }

  String counts() {
    int acknowledged = clients.stream().mapToInt(Client::acknowledged).sum();
    return "%d writes acknowledged, %d cut off and found".formatted(acknowledged, cutWritesFound);
  }
}
