package dev.contextd.engine;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.parallel.Workers;
import dev.contextd.testkit.PowerCalls;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One loss of power and what must be found after it.
 *
 * <p>The store opens, undamaged and writable, with all that was acknowledged and nothing that was
 * deleted. It takes another write and closes, and then the collections' own files, which chromem-go
 * reads, hold what it served. And power may be lost again on the way: the next one to open finds
 * what the first one found, and the write if that was acknowledged.
 */
final class PowerCut {
  private static final String AFTERWARDS = "afterwards";

  /** What a write leaves that never came to its end; nobody reads it. */
  private static final String TEMP = ".tmp";

  private static final int NEVER = Integer.MAX_VALUE;

  /**
   * Until opening makes durable what it finds, a store that was opened after its process was killed
   * serves writes that a loss of power still takes back, and writes into a root whose own name it
   * may take away.
   */
  static final boolean OPENING_SECURES_WHAT_IT_FOUND = true;

  private final PowerWorkload workload;
  private final PowerCalls found;
  private final int prefix;

  /** From this length of the log on what was served must outlive a loss of power. */
  private int secured;

  PowerCut(PowerWorkload workload, int prefix, PowerCalls found) {
    this.workload = workload;
    this.prefix = prefix;
    this.found = found;
  }

  /** Looks at a disk that lost power, or whose process was killed. */
  void verify(Random random) throws IOException {
    int before = found.logLength();
    SortedMap<String, String> first;
    int acknowledged;
    SortedMap<String, String> last;
    try (VectorStore store = PowerWorkload.open(found)) {
      secured = before == 0 ? 0 : OPENING_SECURES_WHAT_IT_FOUND ? found.logLength() : NEVER;
      first = requireAcknowledged(workload, prefix, store);
      write(store);
      acknowledged = found.logLength();
      last = PowerWorkload.contents(store);
    }
    requireOnDisk(last);
    int end = found.logLength();
    int again = random.nextBoolean() ? end : before + random.nextInt(end + 1 - before);
    verifySecond(again, found.crash(again, random), first, again >= acknowledged);
  }

  /** After a loss of power in the middle of what {@link #verify} did. */
  private void verifySecond(
      int again, PowerCalls second, SortedMap<String, String> first, boolean isWritten)
      throws IOException {
    try (VectorStore store = PowerWorkload.open(second)) {
      SortedMap<String, String> served = requireAcknowledged(workload, prefix, store);
      if (isWritten && !served.containsKey(AFTERWARDS + "/a")) {
        throw new AssertionError("a write after the first loss was lost by the second");
      }
      if (again >= secured) {
        served.keySet().removeIf(key -> key.startsWith(AFTERWARDS));
        requireSame(first, served, "after a second loss at " + again);
      }
    }
  }

  /** Returns what is served. */
  static SortedMap<String, String> requireAcknowledged(
      PowerWorkload workload, int prefix, VectorStore store) {
    requireSound(store);
    SortedMap<String, String> served = PowerWorkload.contents(store);
    for (PowerHistory history : workload.histories()) {
      require(history.judge(prefix, history.partOf(served)));
    }
    return served;
  }

  static void write(VectorStore store) {
    store.upsert(
        AFTERWARDS, List.of(NewDocument.of("a", "text", new float[] {1, 0, 0})), Scope.ALL);
  }

  private static void requireSound(VectorStore store) {
    require(store.readOnlyReason().map(reason -> "read-only: " + reason).orElse(""));
    requireUndamaged(store.openReport());
  }

  private static void requireUndamaged(CheckReport report) {
    for (Damage damage : report.damage()) {
      if (!(damage instanceof Damage.Leftover leftover && leftover.file().endsWith(TEMP))) {
        throw new AssertionError("damage: " + damage);
      }
    }
  }

  /** The store is closed: its gob files alone tell everything. */
  private void requireOnDisk(SortedMap<String, String> served) throws IOException {
    SortedMap<String, String> files = new TreeMap<>();
    requireUndamaged(PowerWorkload.tellFiles(found, Workers.common(), files));
    requireSame(served, files, "in the files of the closed store");
  }

  /** What is in one state and not, or not so, in another. */
  static SortedMap<String, String> without(
      SortedMap<String, String> one, SortedMap<String, String> other) {
    SortedMap<String, String> rest = new TreeMap<>(one);
    rest.entrySet().removeAll(other.entrySet());
    return rest;
  }

  static void requireSame(
      SortedMap<String, String> expected, SortedMap<String, String> actual, String where) {
    if (!actual.equals(expected)) {
      throw new AssertionError(
          where
              + ": expected "
              + without(expected, actual)
              + ", found "
              + without(actual, expected));
    }
  }

  private static void require(String complaint) {
    if (!complaint.isEmpty()) {
      throw new AssertionError(complaint);
    }
  }
}
