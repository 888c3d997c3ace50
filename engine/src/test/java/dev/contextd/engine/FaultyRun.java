package dev.contextd.engine;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.parallel.Workers;
import dev.contextd.testkit.FaultyCalls;
import dev.contextd.testkit.FaultyCalls.Call;
import dev.contextd.testkit.PowerCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A store that is opened, written to, checkpointed, merged, closed and opened again, while one
 * operation of its disk fails once.
 *
 * <p>A call that failed changed nothing, in memory and for whoever opens what a kill would leave,
 * unless it says that its outcome is unknown; made again it succeeds. What was acknowledged is
 * there. At the end the store is sound and its files hold what it serves.
 */
final class FaultyRun {
  private static final KeeperOptions BY_HAND =
      KeeperOptions.defaults().withInterval(Duration.ofHours(1));

  /** In what way an operation fails. */
  enum Kind {
    IO_ERROR(EnumSet.allOf(Call.class)),
    FULL(
        EnumSet.of(
            Call.CREATE,
            Call.CREATE_WHOLE,
            Call.APPEND,
            Call.FORCE,
            Call.CREATE_DIRECTORY,
            Call.RENAME,
            Call.SYNC_FILE,
            Call.SYNC_DIRECTORY,
            Call.SYNC_FILE_SYSTEM)),
    SHORT_WRITE(EnumSet.of(Call.APPEND));

    private final Set<Call> calls;

    Kind(Set<Call> calls) {
      this.calls = calls;
    }

    private IOException failure() {
      return switch (this) {
        case IO_ERROR -> new IOException("Input/output error");
        case FULL -> new IOException("No space left on device");
        case SHORT_WRITE -> new FaultyCalls.ShortWriteException("No space left on device");
      };
    }
  }

  private record Step(String name, Consumer<VectorStore> work) {}

  /** What is done each time the store is open. */
  private static final List<List<Step>> SESSIONS = List.of(first(), second());

  private final PowerCalls calls = new PowerCalls();
  private final FaultyCalls faulty = new FaultyCalls(calls);
  private final ForkJoinPool pool;
  private final Kind kind;
  private final int nth;
  private final AtomicInteger seen = new AtomicInteger();
  private volatile String fault = "";

  /** What must be served after each step; filled by the run in which nothing fails. */
  private final List<SortedMap<String, String>> states;

  private int done;
  private SortedMap<String, String> state = new TreeMap<>();

  private FaultyRun(ForkJoinPool pool, Kind kind, int nth, List<SortedMap<String, String>> states) {
    this.pool = pool;
    this.kind = kind;
    this.nth = nth;
    this.states = states;
    faulty.fault(this::before);
  }

  /**
   * Runs without a fault.
   *
   * @param states takes what must be served after each step
   * @return how many operations can fail in this way
   */
  static int count(ForkJoinPool pool, Kind kind, List<SortedMap<String, String>> states)
      throws IOException {
    FaultyRun run = new FaultyRun(pool, kind, 0, states);
    run.run();
    return run.seen.get();
  }

  /**
   * Runs with a fault.
   *
   * @param nth which operation fails, from 1
   * @return what failed; empty where the run has fewer operations
   * @throws AssertionError where anything is not as it must be
   */
  static String run(ForkJoinPool pool, Kind kind, int nth, List<SortedMap<String, String>> states) {
    FaultyRun run = new FaultyRun(pool, kind, nth, states);
    try {
      run.run();
      return run.fault;
    } catch (IOException | RuntimeException | AssertionError e) {
      throw new AssertionError(
          "%s at operation %d, %s: %s".formatted(kind, nth, run.fault, e.getMessage()), e);
    }
  }

  private void before(Call call, Path path) throws IOException {
    if (kind.calls.contains(call) && seen.incrementAndGet() == nth) {
      fault = call + " " + path;
      throw kind.failure();
    }
  }

  private boolean hasFailed() {
    return !fault.isEmpty();
  }

  private void run() throws IOException {
    for (List<Step> session : SESSIONS) {
      VectorStore store = open();
      session.forEach(step -> run(step, store));
      boolean before = hasFailed();
      store.close();
      store.closeFailure().ifPresent(why -> require(hasFailed() && !before, "close: " + why));
    }
    try (VectorStore store = open()) {
      requireSame(state, PowerWorkload.contents(store), "in the end");
    }
    requireOnDisk();
  }

  /** One that a fault spoils says so, and the next one does not. */
  private VectorStore open() throws IOException {
    while (true) {
      boolean before = hasFailed();
      VectorStore store;
      try {
        store = VectorStore.open(PowerWorkload.ROOT, options(faulty));
      } catch (IOException | StoreException e) {
        require(hasFailed() && !before, "opening: " + e);
        continue;
      }
      boolean isSound = store.readOnlyReason().isEmpty() && isUndamaged(store.openReport());
      if (store.readOnlyReason().isEmpty()) {
        requireSame(state, PowerWorkload.contents(store), "opened");
      }
      if (isSound) {
        return store;
      }
      require(
          hasFailed() && !before,
          "opened with " + store.readOnlyReason() + " " + store.openReport().damage());
      store.close();
    }
  }

  private StoreOptions options(FileCalls disk) {
    return StoreOptions.defaults().withDisk(new LocalDisk(disk)).withPool(pool).withKeeper(BY_HAND);
  }

  private void run(Step step, VectorStore store) {
    boolean before = hasFailed();
    try {
      step.work().accept(store);
    } catch (StoreException e) {
      require(hasFailed() && !before, step.name() + " failed by itself: " + e);
      requireHarmless(step, store, e);
      step.work().accept(store);
    }
    SortedMap<String, String> now = PowerWorkload.contents(store);
    if (nth == 0 && states.size() == done) {
      states.add(now);
    }
    state = states.get(done++);
    requireSame(state, now, "served after " + step.name());
    if (hasFailed() && !before) {
      requireSame(state, afterAKill(), "after a kill behind " + step.name());
    }
  }

  private void requireHarmless(Step step, VectorStore store, StoreException e) {
    boolean isUnknown = e.code() == ErrorCode.OUTCOME_UNKNOWN;
    require(
        isUnknown || e.code() == ErrorCode.STORAGE_FAILED || e.code() == ErrorCode.STORAGE_FULL,
        step.name() + " is answered with " + e.code());
    requireSame(state, PowerWorkload.contents(store), "served after failing " + step.name());
    SortedMap<String, String> left = afterAKill();
    if (!isUnknown) {
      requireSame(state, left, "after a kill behind failing " + step.name());
    } else if (!left.equals(state) && done < states.size()) {
      requireSame(states.get(done), left, "after a kill behind the unknown " + step.name());
    }
  }

  /** What another process would serve if this one ended now. */
  private SortedMap<String, String> afterAKill() {
    try (VectorStore store =
        VectorStore.open(PowerWorkload.ROOT, options(calls.kill(calls.logLength())))) {
      require(store.readOnlyReason().isEmpty(), "read-only after a kill");
      require(isUndamaged(store.openReport()), "after a kill: " + store.openReport().damage());
      return PowerWorkload.contents(store);
    } catch (IOException e) {
      throw new AssertionError("after a kill", e);
    }
  }

  /** The store is closed: its gob files alone tell everything. */
  private void requireOnDisk() throws IOException {
    SortedMap<String, String> files = new TreeMap<>();
    CheckReport report = PowerWorkload.tellFiles(calls, new Workers(pool), files);
    require(isUndamaged(report), "the folder by itself: " + report.damage());
    requireSame(state, files, "in the files of the closed store");
  }

  /** A temp file that could not be removed is nobody's loss. */
  private static boolean isUndamaged(CheckReport report) {
    return report.damage().stream()
        .allMatch(found -> found instanceof Damage.Leftover left && left.file().endsWith(".tmp"));
  }

  private static void requireSame(
      SortedMap<String, String> expected, SortedMap<String, String> found, String where) {
    require(expected.equals(found), where + ": expected " + expected + ", found " + found);
  }

  private static void require(boolean isSo, String complaint) {
    if (!isSo) {
      throw new AssertionError(complaint);
    }
  }

  private static Step upsert(String collection, String... idsAndContents) {
    List<NewDocument> documents = new ArrayList<>();
    for (int i = 0; i < idsAndContents.length; i += 2) {
      documents.add(
          NewDocument.of(idsAndContents[i], idsAndContents[i + 1], new float[] {1, i, 0}));
    }
    return new Step(
        "upsert " + String.join(" ", idsAndContents),
        store -> store.upsert(collection, documents, Scope.ALL));
  }

  private static Step delete(String collection, String... ids) {
    return new Step(
        "delete " + String.join(" ", ids),
        store -> store.collection(collection, Scope.ALL).orElseThrow().delete(List.of(ids)));
  }

  private static Step create(String collection) {
    return new Step("create " + collection, store -> store.create(collection, Map.of("k", "v")));
  }

  private static Step drop(String collection) {
    return new Step(
        "drop " + collection,
        store -> {
          if (store.collection(collection, Scope.ALL).isPresent()) {
            store.delete(collection, Scope.ALL);
          }
        });
  }

  private static Step checkpoint() {
    return new Step("checkpoint", VectorStore::checkpoint);
  }

  /** Merges what is worth it. */
  private static Step merge() {
    return new Step("merge", store -> store.purge(Duration.ofDays(1)));
  }

  private static List<Step> first() {
    List<Step> steps = new ArrayList<>();
    steps.add(create("notes"));
    steps.add(upsert("notes", "a", "1", "b", "2", "c", "3"));
    steps.add(checkpoint());
    steps.add(upsert("notes", "a", "replaced", "d", "4"));
    steps.add(delete("notes", "b", "none"));
    steps.add(upsert("other", "o", "1"));
    steps.add(checkpoint());
    steps.add(create("gone"));
    steps.add(upsert("gone", "g", "unwritten"));
    steps.add(drop("gone"));
    steps.add(create("gone"));
    for (int i = 0; i < 4; i++) {
      steps.add(upsert("notes", "n" + i, "small"));
      steps.add(checkpoint());
    }
    steps.add(merge());
    steps.add(upsert("notes", "last", "only in the journal"));
    steps.add(delete("notes", "c"));
    return steps;
  }

  private static List<Step> second() {
    return List.of(
        upsert("notes", "a", "replaced again", "e", "5"),
        delete("other", "o"),
        checkpoint(),
        drop("notes"),
        upsert("notes", "a", "anew"),
        upsert("other", "p", "2"));
  }
}
