package dev.contextd.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The journal as it is written: order, shared syncs, and what a failed write leaves behind. */
class JournalWritingTest {
  private static final String FULL = "No space left on device";

  /** The least that a segment gets. */
  private static final int ROOM_BYTES = 16 << 10;

  @TempDir Path root;

  private Path journal() {
    return root.resolve("journal");
  }

  /** Fails the n-th operation of some kinds, and those after it up to a count. */
  private static FaultyDisk failing(Set<Operation> kinds, int nth, int times) {
    FaultyDisk disk = new FaultyDisk();
    AtomicInteger seen = new AtomicInteger();
    disk.fault((operation, _) -> {
      if (kinds.contains(operation)) {
        int n = seen.getAndIncrement();
        if (n >= nth && n < nth + times) {
          throw new IOException(FULL);
        }
      }
    });
    return disk;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 1_000})
  void whicheverOperationFailsTheAcknowledgedWritesAndOnlyTheyComeBack(int times) throws Exception {
    Set<Operation> kinds = Set.of(Operation.CREATE, Operation.APPEND, Operation.SYNC);
    int failures = 0;
    for (int nth = 0; nth < 24; nth++) {
      Path directory = root.resolve("journal-" + nth);
      FaultyDisk disk = failing(kinds, nth, times);
      List<String> acknowledged = new ArrayList<>();
      List<String> log = Collections.synchronizedList(new ArrayList<>());
      Journal journal = Journals.open(directory, disk);
      for (int i = 0; i < 4; i++) {
        failures += writePair(directory, journal, "n" + i, log, acknowledged);
      }
      disk.heal();
      writePair(directory, journal, "healed", log, acknowledged);
      assertThat(acknowledged).as("after the cause is gone").contains("healed x", "healed y");
      journal.close();
      JournalReplay replay = Journals.read(directory);
      assertThat(Journals.names(replay)).as("operation %d", nth).isEqualTo(acknowledged);
      assertThat(replay.losses()).isEmpty();
      assertThat(published(log)).isEqualTo(acknowledged);
    }
    assertThat(failures).isPositive();
  }

  private static List<String> published(List<String> log) {
    return log.stream().filter(s -> s.startsWith("+")).map(s -> s.substring(1)).toList();
  }

  /** Writes two records with one sync; both are acknowledged, or both are taken back. */
  private static int writePair(
      Path directory, Journal journal, String name, List<String> log, List<String> acknowledged)
      throws IOException {
    int before = log.size();
    Journal.Ticket x = Journals.enqueue(journal, name + " x", log);
    Journal.Ticket y = Journals.enqueue(journal, name + " y", log);
    try {
      journal.await(x);
      journal.await(y);
      acknowledged.add(name + " x");
      acknowledged.add(name + " y");
      assertThat(log.subList(before, log.size()))
          .containsExactly("+" + name + " x", "+" + name + " y");
      return 0;
    } catch (IOException e) {
      List<String> afterAKill = Journals.names(Journals.read(directory));
      requireToldTruly(journal, x, name + " x", afterAKill);
      requireToldTruly(journal, y, name + " y", afterAKill);
      assertThat(log.subList(before, log.size()))
          .as("taken back in reverse")
          .containsExactly("-" + name + " y", "-" + name + " x");
      return 1;
    }
  }

  @Test
  void noSingleFileThatIsLostOrDestroyedBringsAFailedWriteBack() throws Exception {
    FaultyDisk disk = failing(Set.of(Operation.SYNC), 1, 1);
    try (Journal journal = Journals.open(journal(), disk)) {
      Journals.write(journal, "a");
      Journal.Ticket failed = Journals.enqueue(journal, "failed", new ArrayList<>());
      assertThatThrownBy(() -> journal.await(failed)).hasMessage(FULL);
      Journals.write(journal, "b");
      journal.mark(); // What follows is in another segment.
      Journals.write(journal, "c");
    }
    for (Path segment : Journals.segments(journal())) {
      byte[] content = Files.readAllBytes(segment);
      Files.delete(segment);
      assertThat(Journals.names(Journals.read(journal())))
          .as("without %s", segment.getFileName())
          .doesNotContain("failed");
      for (byte[] other : List.of(new byte[0], new byte[content.length])) {
        Files.write(segment, other);
        assertThat(Journals.names(Journals.read(journal())))
            .as("with %d zeros in %s", other.length, segment.getFileName())
            .doesNotContain("failed");
      }
      Files.write(segment, content);
    }
    assertThat(Journals.names(Journals.read(journal()))).containsExactly("a", "b", "c");
  }

  /** A write that may come back is never said to have changed nothing. */
  private static void requireToldTruly(
      Journal journal, Journal.Ticket ticket, String name, List<String> afterAKill) {
    IOException told = catchThrowableOfType(IOException.class, () -> journal.await(ticket));
    assertThat(told).hasMessageContaining(FULL);
    if (afterAKill.contains(name)) {
      assertThat(OutcomeUnknownException.is(told)).as("unknown: %s", told).isTrue();
      assertThat(told).hasMessageContaining("not known until the journal can be written again");
    } else if (!OutcomeUnknownException.is(told)) {
      assertThat(told).hasMessage(FULL);
    }
  }

  @Test
  void aFailedWriteStaysAwayThoughItsBytesCanBeRead() throws Exception {
    FaultyDisk disk = failing(Set.of(Operation.SYNC), 1, 1);
    List<String> log = new ArrayList<>();
    try (Journal journal = Journals.open(journal(), disk)) {
      Journals.write(journal, "a");
      Journal.Ticket failed = Journals.enqueue(journal, "failed", log);
      assertThatThrownBy(() -> journal.await(failed)).hasMessage(FULL);
      assertThat(Journals.frames(Journals.segments(journal()).getFirst()))
          .as("the record is in the file, whole")
          .hasSize(2);
      assertThat(Journals.names(Journals.read(journal()))).containsExactly("a");
      Journals.write(journal, "b");
    }
    assertThat(Journals.names(Journals.read(journal()))).containsExactly("a", "b");
  }

  @Test
  void aWriteThatCannotBeVoidedYetIsOfUnknownOutcomeAndOneThatNeverReachedTheFileIsNot()
      throws Exception {
    FaultyDisk disk = failing(Set.of(Operation.CREATE, Operation.SYNC), 2, 2);
    List<String> log = new ArrayList<>();
    try (Journal journal = Journals.open(journal(), disk)) {
      Journals.write(journal, "a");
      Journal.Ticket unknown = Journals.enqueue(journal, "unknown", log);
      assertThatThrownBy(() -> journal.await(unknown))
          .isInstanceOf(OutcomeUnknownException.class)
          .hasMessageContaining(FULL);
      assertThat(Journals.names(Journals.read(journal())))
          .as("what a kill would leave now")
          .containsExactly("a", "unknown");
      Journals.write(journal, "b");
      assertThat(Journals.names(Journals.read(journal()))).containsExactly("a", "b");
    }
    FaultyDisk full = failing(Set.of(Operation.APPEND), 2, 1_000);
    Path other = root.resolve("other");
    Journal journal = Journals.open(other, full);
    Journals.write(journal, "a");
    Journal.Ticket torn = Journals.enqueue(journal, "torn", log);
    assertThatThrownBy(() -> journal.await(torn))
        .isNotInstanceOf(OutcomeUnknownException.class)
        .hasMessage(FULL);
    assertThat(Journals.names(Journals.read(other))).containsExactly("a");
  }

  @Test
  void smallRecordsHaveRoomAndDoWithoutWhereThereIsNone() throws Exception {
    for (boolean isRefused : new boolean[] {false, true}) {
      FaultyDisk disk = new FaultyDisk();
      if (isRefused) {
        disk.refuseRoom();
      }
      Path folder = root.resolve("room " + !isRefused);
      Journal journal = Journals.open(folder, disk);
      for (String name : List.of("a", "b", "c")) {
        Journals.write(journal, name);
      }
      Path segment = Journals.only(folder);
      assertThat(Files.size(segment) > ROOM_BYTES).isNotEqualTo(isRefused);
      JournalReplay killed = Journals.read(folder);
      assertThat(Journals.names(killed)).containsExactly("a", "b", "c");
      assertThat(killed.tornBytes()).isZero();
      FileTime written = Files.getLastModifiedTime(segment);
      journal.close();
      assertThat(Files.getLastModifiedTime(segment)).isEqualTo(written);
      assertThat(Journals.names(Journals.read(folder))).containsExactly("a", "b", "c");
      assertThat(Files.size(segment)).as("its room is gone").isLessThan(ROOM_BYTES);
    }
  }

  @Test
  void ofAGroupThatIsTornTheWholeRecordsAreOfUnknownOutcome() throws Exception {
    FaultyDisk full = failing(Set.of(Operation.APPEND), 2, 1_000);
    List<String> log = new ArrayList<>();
    Journal journal = Journals.open(journal(), full);
    Journals.write(journal, "a");
    Journal.Ticket whole = Journals.enqueue(journal, "whole", log);
    Journal.Ticket torn = Journals.enqueue(journal, "torn!", log);
    assertThatThrownBy(() -> journal.await(torn))
        .isNotInstanceOf(OutcomeUnknownException.class)
        .hasMessage(FULL);
    assertThatThrownBy(() -> journal.await(whole)).isInstanceOf(OutcomeUnknownException.class);
    assertThat(Journals.names(Journals.read(journal())))
        .as("half of the group's bytes were written")
        .containsExactly("a", "whole");
    assertThat(log).containsExactly("-torn!", "-whole");
  }

  @Test
  void whatCannotBeVoidedYetIsVoidedBeforeAnythingNewIsAcknowledged() throws Exception {
    FaultyDisk disk = failing(Set.of(Operation.SYNC), 1, 3);
    List<String> acknowledged = new ArrayList<>(List.of("a"));
    List<String> log = new ArrayList<>();
    try (Journal journal = Journals.open(journal(), disk)) {
      Journals.write(journal, "a");
      for (int i = 0; i < 4; i++) {
        writePair(journal(), journal, "n" + i, log, acknowledged);
      }
      assertThat(acknowledged).contains("n3 x");
      assertThat(Journals.names(Journals.read(journal()))).isEqualTo(acknowledged);
      journal.cut(journal.mark());
      assertThat(Journals.segments(journal())).isEmpty();
    }
  }

  @Test
  void nothingIsWrittenOnceTheGateIsShut() throws Exception {
    boolean[] isShut = {false};
    Journal.Gate gate =
        () -> {
          if (isShut[0]) {
            throw new IOException("another folder");
          }
        };
    List<String> log = new ArrayList<>();
    JournalReplay nothing = Journals.read(journal());
    Journal journal = Journals.open(journal(), new LocalDisk(), nothing, gate);
    Journals.write(journal, "a");
    isShut[0] = true;
    Files.delete(Journals.only(journal()));
    Files.delete(journal());
    for (String name : List.of("b", "c")) {
      Journal.Ticket ticket = Journals.enqueue(journal, name, log);
      assertThatThrownBy(() -> journal.await(ticket)).hasMessage("another folder");
    }
    assertThat(log).containsExactly("-b", "-c");
    assertThat(journal()).doesNotExist();
    journal.close();
    assertThat(journal()).doesNotExist();
  }

  @Test
  void anEffectThatCannotBeWrittenForWantOfMemoryIsAnswered() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    disk.fault((operation, _) -> {
      if (operation == Operation.APPEND) {
        throw new OutOfMemoryError("injected");
      }
    });
    List<String> log = new ArrayList<>();
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
    }
    Journal journal = Journals.open(journal(), disk);
    Journal.Ticket ticket = Journals.enqueue(journal, "b", log);
    assertThatThrownBy(() -> journal.await(ticket)).isInstanceOf(IOException.class);
    assertThat(log).containsExactly("-b");
    disk.heal();
    Journals.write(journal, "c");
    journal.close();
    assertThat(Journals.names(Journals.read(journal()))).containsExactly("a", "c");
  }

  @Test
  void damagedSegmentsAreKeptThoughNothingWasWrittenSince() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a", "b", "c");
    }
    Path segment = Journals.only(journal());
    Journals.invert(segment, Journals.frames(segment).get(1).offset(), 300);
    byte[] damaged = Files.readAllBytes(segment);
    Journal journal = Journals.open(journal(), new LocalDisk());
    journal.close();
    journal.cut(journal.mark());
    assertThat(Journals.segments(journal())).isEmpty();
    assertThat(journal().resolve("kept-" + segment.getFileName())).hasBinaryContent(damaged);
  }

  @Test
  void manyThreadsShareSyncsAndEachRecordIsThereOnceInOrder() throws Exception {
    int threads = 16;
    int each = 100;
    FaultyDisk disk = new FaultyDisk();
    CountDownLatch queued = new CountDownLatch(threads);
    disk.fault((operation, _) -> {
      if (operation == Operation.SYNC) {
        awaitQuietly(queued); // The first sync is slow: the others queue behind it.
      }
    });
    Map<String, Integer> published = new ConcurrentHashMap<>();
    Journal journal = Journals.open(journal(), disk);
    List<Thread> running = new ArrayList<>();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    for (int t = 0; t < threads; t++) {
      String name = "thread " + t;
      running.add(
          Thread.ofVirtual()
              .start(() -> writeMany(journal, name, each, published, queued, failures)));
    }
    for (Thread thread : running) {
      thread.join();
    }
    journal.close();
    assertThat(failures).isEmpty();
    assertThat(published).hasSize(threads * each).allSatisfy((_, n) -> assertThat(n).isOne());
    Map<String, Integer> next = new HashMap<>();
    List<String> names = Journals.names(Journals.read(journal()));
    assertThat(names).hasSize(threads * each);
    for (String name : names) {
      int slash = name.indexOf('/');
      int n = Integer.parseInt(name.substring(slash + 1));
      assertThat(n).isEqualTo(next.merge(name.substring(0, slash), 1, Integer::sum) - 1);
    }
    assertThat(journal.metrics().records()).isEqualTo(names.size());
    assertThat(journal.metrics().syncs()).isLessThan(names.size());
  }

  @Test
  void anInterruptedCallersWriteFailsNeitherItNorItsGroup() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Thread.currentThread().interrupt();
      Journals.writeTogether(journal, "a", "b");
      Journals.write(journal, "c");
      assertThat(Thread.interrupted()).as("the interrupt is its caller's").isTrue();
    }
    assertThat(Journals.names(Journals.read(journal()))).containsExactly("a", "b", "c");
  }

  @Test
  void interruptsInTheMidstOfSyncsFailNobody() throws Exception {
    int threads = 4;
    int each = 50;
    Map<String, Integer> published = new ConcurrentHashMap<>();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    Journal journal = Journals.open(journal(), new LocalDisk());
    List<Thread> running = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      String name = "thread " + t;
      CountDownLatch queued = new CountDownLatch(each);
      running.add(
          Thread.ofPlatform()
              .start(() -> writeMany(journal, name, each, published, queued, failures)));
    }
    while (running.stream().anyMatch(Thread::isAlive)) {
      running.forEach(Thread::interrupt);
      Thread.onSpinWait();
    }
    journal.close();
    assertThat(failures).isEmpty();
    assertThat(Journals.names(Journals.read(journal()))).hasSize(threads * each);
  }

  /** Whoever closes writes what is queued; those who wait for it are told, each of them. */
  @Test
  @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void closingAmidWritesLeavesNobodyWaiting() throws Exception {
    for (int round = 0; round < 100; round++) {
      Path directory = root.resolve("round-" + round);
      Journal journal = Journals.open(directory, new LocalDisk());
      List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
      CountDownLatch isWriting = new CountDownLatch(6);
      List<Thread> writers = new ArrayList<>();
      for (int t = 0; t < 6; t++) {
        String name = "writer " + t;
        writers.add(
            Thread.ofPlatform()
                .start(() -> writeUntilClosed(journal, name, acknowledged, isWriting)));
      }
      isWriting.await();
      journal.close();
      for (Thread writer : writers) {
        writer.join();
      }
      assertThat(Journals.names(Journals.read(directory)))
          .as("round %d", round)
          .containsExactlyInAnyOrderElementsOf(acknowledged);
    }
  }

  /**
   * As where memory runs out amid a failure: nobody waits for ever, and nothing is written on top.
   */
  @Test
  @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void whatCannotBeTakenBackIsAnsweredAndEndsTheWriting() throws Exception {
    FaultyDisk disk = failing(Set.of(Operation.SYNC), 1, 1);
    Journal journal = Journals.open(journal(), disk);
    Journals.write(journal, "before");
    List<Journal.Ticket> tickets = new ArrayList<>();
    for (String name : List.of("first", "second", "third")) {
      Journal.Ticket ticket = Journal.prepare(Journals.record(name), new StubbornEffect());
      journal.enqueue(ticket);
      tickets.add(ticket);
    }
    for (Journal.Ticket ticket : tickets) {
      assertThatThrownBy(() -> journal.await(ticket))
          .isInstanceOf(OutcomeUnknownException.class)
          .hasMessageContaining("until a restart");
    }
    assertThatThrownBy(() -> Journals.write(journal, "after"))
        .hasMessageContaining("until a restart");
    journal.close();
    assertThat(Journals.names(Journals.read(journal())))
        .startsWith("before")
        .doesNotContain("after");
  }

  private static void writeUntilClosed(
      Journal journal, String name, List<String> acknowledged, CountDownLatch isWriting) {
    for (int i = 0; ; i++) {
      String record = name + "/" + i;
      Journal.Ticket ticket =
          Journal.prepare(Journals.record(record), new Journals.Watched(new ArrayList<>(), record));
      try {
        journal.enqueue(ticket);
      } catch (IOException e) {
        return; // It is closed.
      }
      try {
        journal.await(ticket);
        acknowledged.add(record);
        isWriting.countDown();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void writeMany(
      Journal journal,
      String name,
      int count,
      Map<String, Integer> published,
      CountDownLatch queued,
      List<Throwable> failures) {
    try {
      for (int i = 0; i < count; i++) {
        String record = name + "/" + i;
        Journal.Ticket ticket =
            Journal.prepare(
                Journals.record(record),
                new Journal.Effect() {
                  @Override
                  public void publish() {
                    published.merge(record, 1, Integer::sum);
                  }

                  @Override
                  public void discard() {
                    failures.add(new AssertionError(record + " was taken back"));
                  }
                });
        journal.enqueue(ticket);
        queued.countDown();
        journal.await(ticket);
        if (published.getOrDefault(record, 0) != 1) {
          failures.add(new AssertionError(record + " was acknowledged and is not visible"));
        }
      }
    } catch (IOException e) {
      failures.add(e);
    }
  }

  @Test
  void aClosedJournalWritesWhatIsQueuedAndRefusesTheRest() throws Exception {
    List<String> log = new ArrayList<>();
    Journal journal = Journals.open(journal(), new LocalDisk());
    Journals.enqueue(journal, "queued", log);
    journal.close();
    assertThat(log).containsExactly("+queued");
    assertThatThrownBy(() -> Journals.enqueue(journal, "late", log))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("closed");
    assertThat(Journals.names(Journals.read(journal()))).containsExactly("queued");
  }

  @Test
  void whatWasWrittenAfterTheMarkIsNotCut() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a", "b");
      Journal.Mark mark = journal.mark();
      Journals.write(journal, "c");
      journal.cut(mark);
      assertThat(journal.pendingBytes()).isPositive();
    }
    JournalReplay replay = JournalReplay.read(new LocalDisk(), journal(), 2, 2);
    assertThat(Journals.names(replay)).containsExactly("c");
    assertThat(replay.losses()).isEmpty();
  }

  @Test
  void aWriteThatCouldNotBeShownIsNotCutAndNothingAfterItIs() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      Journal.Effect broken =
          new Journal.Effect() {
            @Override
            public void publish() {
              throw new OutOfMemoryError("injected");
            }

            @Override
            public void discard() {
              throw new AssertionError("it is on disk");
            }
          };
      Journal.Ticket unshown = Journal.prepare(Journals.record("unshown"), broken);
      journal.enqueue(unshown);
      assertThatThrownBy(() -> journal.await(unshown))
          .hasMessageContaining("could not be shown")
          .hasMessageContaining("injected");
      Journals.write(journal, "b");
      assertThat(journal.isUnshown()).isTrue();
      journal.cut(journal.mark());
      Journals.write(journal, "c");
      journal.cut(journal.mark());
    }
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a", "unshown", "b", "c");
    assertThat(replay.losses()).isEmpty();
  }
}
