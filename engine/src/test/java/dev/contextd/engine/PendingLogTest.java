package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.OutcomeUnknownException;
import dev.contextd.storage.outbox.Outbox.Shipment;
import dev.contextd.storage.outbox.PendingLog;
import dev.contextd.testkit.FaultyCalls;
import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.Survivors;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The log of pending writes, on a disk that loses power anywhere and on one of which each operation
 * fails once: what was acknowledged and has not reached the remote waits, in order; what is said to
 * be kept is kept.
 */
class PendingLogTest {
  private static final Path ROOT = Path.of("/parent/store");
  private static final Instant BEGIN = Instant.EPOCH.plus(Duration.ofDays(20_000));
  private static final Duration KEEP = Duration.ofDays(7);
  private static final int STEPS = 60;

  /** Stands until it is moved. */
  private static final class ManualClock extends Clock {
    private Instant now = BEGIN;

    void pass(Duration time) {
      now = now.plus(time);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  /** Something that was said to be done when the disk had seen so many operations. */
  private record Done(int number, int operations) {}

  /** Writes, ships, lets time pass and opens again, all by chance. */
  private static final class Workload {
    private final FileCalls calls;
    private final PowerCalls power;
    private final Random random;
    private final ManualClock clock = new ManualClock();
    private final List<Done> acknowledged = new ArrayList<>();
    private final List<Done> received = new ArrayList<>();
    private final TreeSet<Integer> unknown = new TreeSet<>();
    private Optional<PendingLog> open = Optional.empty();
    private int next;

    Workload(FileCalls calls, PowerCalls power, long seed) {
      this.calls = calls;
      this.power = power;
      this.random = new Random(seed);
    }

    private PendingLog log() throws IOException {
      if (open.isEmpty()) {
        open = Optional.of(PendingLogTest.open(calls, clock));
      }
      return open.get();
    }

    void step() throws IOException {
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3, 4 -> write();
        case 5, 6, 7 -> ship();
        case 8 -> {
          clock.pass(Duration.ofHours(random.nextInt(72)));
          log().tend();
        }
        default -> end();
      }
    }

    private void write() throws IOException {
      PendingLog log = log();
      int number = next++;
      Journal.Ticket ticket = log.prepare("notes", put(number), nothing());
      try {
        log.enqueue(ticket);
        log.await(ticket);
      } catch (IOException e) {
        if (OutcomeUnknownException.is(e)) {
          unknown.add(number);
        }
        throw e;
      }
      acknowledged.add(new Done(number, power.logLength()));
    }

    private void ship() throws IOException {
      Optional<Shipment> next = log().next(3, 1 << 20);
      if (next.isPresent() && next.get() instanceof Shipment.Changed changed) {
        changed.documents().forEach(one -> received.add(new Done(number(one), power.logLength())));
        log().acknowledge(changed.through());
      }
    }

    void end() throws IOException {
      Optional<PendingLog> ended = open;
      open = Optional.empty();
      if (ended.isPresent()) {
        ended.get().close();
      }
    }

    private static Set<Integer> until(List<Done> all, int operations) {
      TreeSet<Integer> numbers = new TreeSet<>();
      all.stream()
          .filter(done -> done.operations() <= operations)
          .forEach(done -> numbers.add(done.number()));
      return numbers;
    }

    /** What a disk must hold that saw so many of the operations. */
    void verify(FileCalls survived, int operations, String where) throws IOException {
      try (PendingLog log = PendingLogTest.open(survived, clock)) {
        List<Integer> waiting = numbers(log);
        assertThat(waiting).as(where).isSorted().doesNotHaveDuplicates();
        Set<Integer> owed = until(acknowledged, operations);
        owed.removeAll(until(received, operations));
        assertThat(waiting).as(where + ": what was not shipped").containsAll(owed);
        assertThat(log.status().gap()).as(where).isEmpty();
        TreeSet<Integer> kept = new TreeSet<>();
        assertThat(log.visit((_, record) -> kept.addAll(numbers(record)))).as(where).isEmpty();
        if (log.since().equals(BEGIN)) {
          Set<Integer> all = until(acknowledged, operations);
          all.removeAll(waiting);
          assertThat(kept).as(where + ": what is kept").containsAll(all);
        }
        Journal.Ticket ticket = log.prepare("notes", put(Integer.MAX_VALUE), nothing());
        log.enqueue(ticket);
        log.await(ticket);
        assertThat(numbers(log)).as(where).endsWith(Integer.MAX_VALUE);
      }
    }
  }

  private static PendingLog.Effect nothing() {
    return new PendingLog.Effect() {
      @Override
      public void publish(PendingLog.Write write) {
        // It waits.
      }

      @Override
      public void discard() {
        // It does not.
      }
    };
  }

  private static PendingLog open(FileCalls calls, Clock clock) throws IOException {
    LocalDisk disk = new LocalDisk(calls);
    StoreFolder folder = new StoreFolder(disk, ROOT, clock);
    folder.create();
    folder.prepare();
    return PendingLog.open(disk, folder, () -> {}, clock, new Random(1), KEEP);
  }

  private static JournalRecord put(int number) {
    return new JournalRecord.Put(
        0,
        Optional.empty(),
        List.of(new StoredDocument("d" + number, null, new float[] {1, 0}, "x".repeat(200))));
  }

  private static int number(StoredDocument document) {
    return Integer.parseInt(document.id().substring(1));
  }

  private static List<Integer> numbers(JournalRecord record) {
    return record instanceof JournalRecord.Put put
        ? put.documents().stream().map(PendingLogTest::number).toList()
        : List.of();
  }

  private static List<Integer> numbers(PendingLog log) {
    return log.waiting().stream().flatMap(write -> numbers(write.record()).stream()).toList();
  }

  @Test
  void nothingAcknowledgedIsLostWithThePower() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("PendingLogTest, power: repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    Survivors[] all = Survivors.values();
    for (int round = 0; round < 5; round++) {
      PowerCalls power = new PowerCalls();
      Workload workload = new Workload(power, power, seed + round);
      for (int i = 0; i < STEPS; i++) {
        workload.step();
      }
      workload.end();
      for (int prefix = 0; prefix <= power.logLength(); prefix++) {
        Survivors survivors = all[random.nextInt(all.length)];
        String where = "seed " + seed + ", round " + round + ", power lost at " + prefix;
        PowerCalls first = power.crash(prefix, survivors, random);
        int before = first.logLength();
        workload.verify(first, prefix, where);
        int again = before + random.nextInt(first.logLength() + 1 - before);
        workload.verify(first.crash(again, random), prefix, where + " and again");
        workload.verify(power.kill(prefix), prefix, "seed " + seed + ", killed at " + prefix);
      }
    }
  }

  /** It holds the only copy of what waits, and nothing behind it says that it was there. */
  @Test
  void aSegmentThatIsGoneWholeIsAGap() throws Exception {
    PowerCalls power = new PowerCalls();
    ManualClock clock = new ManualClock();
    Path journal = ROOT.resolve(".contextd/pending/journal");
    try (PendingLog log = open(power, clock)) {
      Journal.Ticket ticket = log.prepare("notes", put(1), nothing());
      log.enqueue(ticket);
      log.await(ticket);
    }
    List<String> segments = power.names(journal);
    assertThat(segments).hasSize(1);
    power.remove(journal.resolve(segments.getFirst()));
    try (PendingLog log = open(power, clock)) {
      assertThat(numbers(log)).isEmpty();
      assertThat(log.status().gap()).hasValueSatisfying(gap -> assertThat(gap).contains(segments));
      log.clearGap();
    }
    try (PendingLog log = open(power, clock)) {
      assertThat(log.status().gap()).isEmpty();
    }
  }

  @Test
  void aDiskOfWhichOneOperationFailsLosesNothing() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("PendingLogTest, faults: repeat with -Dseed=" + seed);
    int all = run(seed, Integer.MAX_VALUE, new IOException("never"));
    assertThat(all).isGreaterThan(STEPS);
    for (int nth : IntStream.rangeClosed(1, all).toArray()) {
      run(seed, nth, new IOException("Input/output error"));
      run(seed, nth, new FaultyCalls.ShortWriteException("No space left on device"));
    }
  }

  /** Returns how many operations there were. */
  private static int run(long seed, int nth, IOException failure) throws IOException {
    PowerCalls power = new PowerCalls();
    FaultyCalls faulty = new FaultyCalls(power);
    AtomicInteger seen = new AtomicInteger();
    faulty.fault((_, _) -> {
      if (seen.incrementAndGet() == nth) {
        throw failure;
      }
    });
    Workload workload = new Workload(faulty, power, seed);
    int failed = 0;
    for (int i = 0; i < STEPS; i++) {
      try {
        workload.step();
      } catch (IOException e) {
        failed++;
      }
    }
    assertThat(failed).as("seed " + seed + ", operation " + nth).isLessThan(3);
    int operations = seen.get();
    faulty.heal();
    workload.end();
    Map<Integer, Boolean> found = new TreeMap<>();
    try (PendingLog log = open(power, new ManualClock())) {
      numbers(log).forEach(number -> found.put(number, true));
    }
    Set<Integer> possible = Workload.until(workload.acknowledged, Integer.MAX_VALUE);
    possible.addAll(workload.unknown);
    assertThat(possible)
        .as("seed %d, operation %d: what was answered as failed stays away", seed, nth)
        .containsAll(found.keySet());
    workload.verify(power, Integer.MAX_VALUE, "seed " + seed + ", operation " + nth + " failed");
    return operations;
  }

  @Test
  void whatIsShippedIsKeptForItsTimeAndThenSaidToBeGone() throws Exception {
    PowerCalls power = new PowerCalls();
    Workload workload = new Workload(power, power, 1);
    workload.write();
    workload.ship();
    workload.clock.pass(Duration.ofHours(2));
    workload.log().tend();
    TreeSet<Integer> kept = new TreeSet<>();
    workload.log().visit((_, record) -> kept.addAll(numbers(record)));
    assertThat(kept).containsExactly(0);
    assertThat(workload.log().since()).isEqualTo(BEGIN);
    workload.clock.pass(KEEP);
    workload.write();
    workload.log().tend();
    kept.clear();
    workload.log().visit((_, record) -> kept.addAll(numbers(record)));
    assertThat(kept).isEmpty();
    assertThat(workload.log().since()).isAfter(BEGIN);
    assertThat(numbers(workload.log())).containsExactly(1);
    workload.end();
    assertThat(numbers(workload.log())).containsExactly(1);
    assertThat(workload.log().since()).isAfter(BEGIN);
    workload.end();
  }

  /** What waits is sent once more rather than not at all, and somebody is told. */
  @Test
  void withoutItsStateAllThatLiesInTheJournalWaitsAgain() throws Exception {
    PowerCalls power = new PowerCalls();
    Workload workload = new Workload(power, power, 1);
    for (int i = 0; i < 4; i++) {
      workload.write();
    }
    workload.ship();
    workload.end();
    assertThat(numbers(workload.log())).containsExactly(3);
    workload.end();
    power.remove(ROOT.resolve(".contextd/pending/state"));
    assertThat(numbers(workload.log())).containsExactly(0, 1, 2, 3);
    assertThat(workload.log().status().gap().orElseThrow()).contains("sent again");
    workload.end();
  }
}
