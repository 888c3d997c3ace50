package dev.contextd.engine;

import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.Outbox.Shipment;
import dev.contextd.testkit.PowerCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A remote that does as the outbox tells it, on a machine that keeps its power: what it has done it
 * has done, whatever becomes of the disk here.
 *
 * <p>Invariant: what it is told comes in order, and nothing again once that was acknowledged.
 */
final class PowerRemote {
  private static final int MANY = 1_000;
  private static final long LARGE = 1L << 30;

  private final PowerCalls disk;
  private final SortedMap<String, String> contents;

  /** What it held from each length of the disk's log on. */
  private final TreeMap<Integer, SortedMap<String, String>> history = new TreeMap<>();

  private long acknowledged;

  /** An empty one, of a store on that disk. */
  PowerRemote(PowerCalls disk) {
    this(disk, new TreeMap<>());
  }

  private PowerRemote(PowerCalls disk, SortedMap<String, String> contents) {
    this.disk = disk;
    this.contents = contents;
    history.put(0, new TreeMap<>(contents));
  }

  /** The same as it was at that length of the log, for a store that goes on with what was left. */
  synchronized PowerRemote at(int prefix, PowerCalls left) {
    return new PowerRemote(left, new TreeMap<>(history.floorEntry(prefix).getValue()));
  }

  /** To be called when the store was opened, as whoever ships does. */
  synchronized void meet(VectorStore store) {
    if (store.outbox().orElseThrow().isNew() && !contents.isEmpty()) {
      throw new AssertionError("it was told, and nothing is noted of that: " + contents);
    }
  }

  /** Asks for a checkpoint now and then, and takes some of what waits. */
  synchronized void turn(VectorStore store, Random random) {
    if (random.nextInt(3) == 0) {
      store.checkpoint();
    }
    int most = random.nextInt(3);
    for (int i = 0; i < most && next(store, 1 + random.nextInt(4), random.nextInt(4) != 0); i++) {
      // All of it was done.
    }
  }

  /** Takes all that waits. */
  synchronized void takeAll(VectorStore store) {
    store.checkpoint();
    while (next(store, MANY, true)) {
      // All of it was done.
    }
  }

  /** Returns whether anything was done; one that dies before it acknowledges is told again. */
  private boolean next(VectorStore store, int mostDocuments, boolean isAcknowledged) {
    Outbox outbox = store.outbox().orElseThrow();
    try {
      Optional<Shipment> next = outbox.next(mostDocuments, LARGE);
      if (next.isEmpty()) {
        return false;
      }
      long through = next.get().through();
      if (through <= acknowledged) {
        throw new AssertionError("told again: " + next.get() + ", acknowledged " + acknowledged);
      }
      apply(next.get());
      history.put(disk.logLength(), new TreeMap<>(contents));
      if (isAcknowledged) {
        outbox.acknowledge(through);
        acknowledged = through;
      }
      return isAcknowledged;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void apply(Shipment shipment) {
    String prefix = shipment.collection() + "/";
    switch (shipment) {
      case Shipment.Created created ->
          contents.put(prefix, new TreeMap<>(created.metadata()).toString());
      case Shipment.Changed changed -> {
        contents.putIfAbsent(prefix, "{}");
        changed.removed().forEach(id -> contents.remove(prefix + id));
        changed
            .documents()
            .forEach(one -> contents.put(prefix + one.id(), PowerWorkload.tell(one)));
      }
      case Shipment.Dropped _ -> contents.keySet().removeIf(key -> key.startsWith(prefix));
    }
  }

  /**
   * It holds what the store serves, and the store knows of nothing that it may lack. Of a
   * collection whose creation was cut short, and acknowledged to nobody, the folder may be all that
   * survived: the store says so, and the remote may lack what no record tells of it, which is its
   * metadata.
   */
  synchronized void requireSame(VectorStore store) {
    SortedMap<String, String> served = PowerWorkload.contents(store);
    Optional<String> gap = store.outbox().orElseThrow().status().gap();
    if (gap.isPresent()) {
      if (!gap.get().matches("another program wrote .* short, which is in no journal")) {
        throw new AssertionError("a gap: " + gap.get());
      }
      served.keySet().removeIf(key -> key.endsWith("/"));
      SortedMap<String, String> held = new TreeMap<>(contents);
      held.keySet().removeIf(key -> key.endsWith("/") && served(store, key));
      PowerCut.requireSame(served, held, "on the remote, but for metadata");
    } else {
      PowerCut.requireSame(served, contents, "on the remote");
    }
  }

  private static boolean served(VectorStore store, String key) {
    return store.collection(key.substring(0, key.length() - 1), Scope.ALL).isPresent();
  }
}
