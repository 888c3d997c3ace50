package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.Outbox.Shipment;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What waits for a remote: in order, whole, and until it is acknowledged. */
class OutboxTest {
  private static final KeeperOptions WITH =
      KeeperOptions.defaults().withInterval(Duration.ofHours(1)).withOutbox(true);
  private static final KeeperOptions WITHOUT = WITH.withOutbox(false);
  private static final int MANY = 1_000;
  private static final long LARGE = 1 << 20;

  @TempDir Path temp;
  private int copies;

  @BeforeEach
  void createTheRoot() throws IOException {
    Files.createDirectory(root());
  }

  private Path root() {
    return temp.resolve("store");
  }

  private Path fresh() {
    return temp.resolve("copy" + copies++);
  }

  private static Path own(Path root, String name) {
    return root.resolve(".contextd").resolve(name);
  }

  private static List<String> segments(Path root) {
    return Opened.names(own(root, "outbox")).stream().filter(n -> n.endsWith(".log")).toList();
  }

  private static List<String> trash(Path root) {
    return Opened.names(own(root, "trash")).stream()
        .map(name -> name.substring(name.indexOf('-') + 1))
        .toList();
  }

  private static Opened open(Path root) throws IOException {
    return Opened.of(root, new LocalDisk(), WITH);
  }

  private static Opened open(Path root, Disk disk) throws IOException {
    return Opened.of(root, disk, WITH);
  }

  private static Outbox outbox(Opened store) {
    return store.keeper().outbox().orElseThrow();
  }

  /** A shipment as a test names it. */
  private static String told(Shipment shipment) {
    return switch (shipment) {
      case Shipment.Created created -> "create " + created.collection();
      case Shipment.Changed changed -> {
        String name = changed.collection() + " ";
        String put = "put " + name + contents(changed.documents());
        String removed = "remove " + name + changed.removed();
        yield changed.removed().isEmpty()
            ? put
            : changed.documents().isEmpty() ? removed : put + ", " + removed;
      }
      case Shipment.Dropped dropped -> "drop " + dropped.collection();
    };
  }

  private static Map<String, String> contents(List<StoredDocument> documents) {
    Map<String, String> contents = new TreeMap<>();
    documents.forEach(one -> assertThat(contents.put(one.id(), one.content())).isNull());
    return contents;
  }

  private static List<String> ship(Opened store) throws IOException {
    return ship(store, MANY, LARGE);
  }

  private static List<String> ship(Opened store, int documents, long bytes) throws IOException {
    List<String> told = new ArrayList<>();
    Optional<Shipment> next = outbox(store).next(documents, bytes);
    while (next.isPresent()) {
      told.add(told(next.get()));
      outbox(store).acknowledge(next.get().through());
      next = outbox(store).next(documents, bytes);
    }
    return told;
  }

  private static Optional<String> gap(Opened store) {
    return outbox(store).status().gap();
  }

  /** A remote that does what it is told. */
  private static final class Remote {
    final Map<String, Map<String, String>> collections = new TreeMap<>();

    void apply(Shipment shipment) {
      String name = shipment.collection();
      switch (shipment) {
        case Shipment.Created _ -> collections.computeIfAbsent(name, _ -> new TreeMap<>());
        case Shipment.Changed changed -> {
          collections
              .computeIfAbsent(name, _ -> new TreeMap<>())
              .putAll(contents(changed.documents()));
          collections.getOrDefault(name, Map.of()).keySet().removeAll(changed.removed());
        }
        case Shipment.Dropped _ -> collections.remove(name);
      }
    }
  }

  @Test
  void writesComeInOrderAndThoseOfACollectionAreJoined() throws Exception {
    try (Opened store = open(root()).create(NOTES)) {
      store.put("a", "1", "b", "1").put("a", "2").put("c", "1").remove("b").remove("c", "a");
      store.put("d", "1");
      assertThat(outbox(store).next(MANY, LARGE)).as("no checkpoint covers it").isEmpty();
      store.checkpoint().put("e", "1").checkpoint();
      assertThat(ship(store))
          .containsExactly("create notes", "put notes {d=1, e=1}, remove notes [b, c, a]");
      assertThat(segments(root())).isEmpty();
      assertThat(outbox(store).status().waitingBytes()).isZero();
      assertThat(gap(store)).isEmpty();
    }
  }

  @Test
  void joiningEndsAtItsBoundsAndALargerWriteGoesAloneAndWhole() throws Exception {
    try (Opened store = open(root()).create(NOTES)) {
      store.put("a", "1").put("b", "1").put("c", "1", "d", "1", "e", "1").put("f", "1");
      store.checkpoint();
      List<String> expected =
          List.of("put notes {a=1, b=1}", "put notes {c=1, d=1, e=1}", "put notes {f=1}");
      assertThat(ship(store, 2, LARGE)).startsWith("create notes").containsAll(expected);
      store.put("a", "1").put("b", "1").checkpoint();
      assertThat(ship(store, MANY, 1)).containsExactly("put notes {a=1}", "put notes {b=1}");
    }
  }

  @Test
  void nothingIsRemovedBeforeItIsAcknowledgedAndARestartTellsTheRest() throws Exception {
    try (Opened store = open(root()).create(NOTES).checkpoint().put("a", "1").checkpoint()) {
      store.remove("a").checkpoint();
      assertThat(segments(root())).hasSize(3);
      assertThat(outbox(store).next(MANY, LARGE)).isPresent();
      assertThat(outbox(store).next(MANY, LARGE).map(OutboxTest::told)).hasValue("create notes");
      assertThat(segments(root())).hasSize(3);
      outbox(store).acknowledge(1);
      outbox(store).acknowledge(1);
      assertThat(segments(root())).hasSize(2);
      assertThatThrownBy(() -> outbox(store).acknowledge(9)).hasMessageContaining("up to 3");
    }
    try (Opened store = open(root())) {
      assertThat(outbox(store).status().shipped()).isEqualTo(1);
      assertThat(outbox(store).status().oldest()).isPresent();
      assertThat(ship(store)).containsExactly("remove notes [a]");
    }
    try (Opened store = open(root())) {
      assertThat(ship(store)).isEmpty();
      assertThat(gap(store)).isEmpty();
    }
  }

  @Test
  void afterACrashNothingIsToldBeforeTheFirstCheckpoint() throws Exception {
    Opened store = open(root()).create(NOTES).put("a", "1").checkpoint().put("b", "1");
    Path crashed = store.crashedTo(fresh());
    store.close();
    try (Opened again = open(crashed)) {
      assertThat(outbox(again).next(MANY, LARGE)).isEmpty();
      AtomicInteger woken = new AtomicInteger();
      outbox(again).onMore(woken::incrementAndGet);
      again.checkpoint().checkpoint();
      assertThat(woken).hasValue(1);
      assertThat(ship(again)).containsExactly("create notes", "put notes {a=1, b=1}");
      assertThat(gap(again)).isEmpty();
    }
  }

  @Test
  void aCollectionThatIsDroppedAndCreatedAgainIsToldSo() throws Exception {
    try (Opened store = open(root()).create(NOTES).put("a", "1").checkpoint()) {
      assertThat(ship(store)).hasSize(2);
      store.put("b", "1").drop(NOTES);
    }
    try (Opened store = open(root())) {
      store.create(NOTES).put("c", "1").checkpoint();
      assertThat(ship(store))
          .containsExactly("put notes {b=1}", "drop notes", "create notes", "put notes {c=1}");
      store.put("d", "1").checkpoint();
      assertThat(ship(store)).containsExactly("put notes {d=1}");
    }
    byte[] state = Files.readAllBytes(own(root(), "outbox/state"));
    assertThat(new String(state, StandardCharsets.ISO_8859_1))
        .as("names that nobody will ask for")
        .doesNotContain(NOTES);
    try (Opened store = open(root())) {
      assertThat(ship(store)).isEmpty();
      assertThat(gap(store)).isEmpty();
      assertThat(trash(root())).noneMatch(name -> name.endsWith(".log"));
    }
  }

  /** A write whose bytes reach the file and whose sync fails. */
  private static void fail(Opened store, FaultyDisk disk, int times) {
    AtomicInteger left = new AtomicInteger(times);
    disk.fault((operation, path) -> {
      boolean isJournal = path.toString().contains("journal");
      if (isJournal && operation != Operation.APPEND && left.getAndDecrement() > 0) {
        throw new IOException("injected");
      }
    });
    assertThatThrownBy(() -> store.put("failed", "1")).isInstanceOf(IOException.class);
    disk.heal();
  }

  @Test
  void aWriteThatFailedIsNeverTold() throws Exception {
    for (int times = 1; times < 4; times++) {
      Path root = Files.createDirectory(fresh());
      FaultyDisk disk = new FaultyDisk();
      Path crashed = fresh();
      try (Opened store = open(root, disk).create(NOTES).put("a", "1")) {
        fail(store, disk, times);
        store.checkpoint();
        store.crashedTo(crashed);
        assertThat(ship(store)).containsExactly("create notes", "put notes {a=1}");
        assertThat(segments(root)).isEmpty();
        store.put("b", "1").checkpoint();
        assertThat(ship(store)).containsExactly("put notes {b=1}");
        assertThat(gap(store)).isEmpty();
      }
      try (Opened store = open(crashed)) {
        assertThat(ship(store)).containsExactly("create notes", "put notes {a=1}");
        assertThat(gap(store)).isEmpty();
      }
    }
  }

  @Test
  void aCrashBetweenTheMovesOfACutTellsEachWriteOnceAndInOrder() throws Exception {
    for (int moves = 0; moves < 4; moves++) {
      FaultyDisk disk = new FaultyDisk();
      Path root = Files.createDirectory(fresh());
      Opened store = open(root, disk).create(NOTES).put("a", "1");
      fail(store, disk, 1);
      disk.fault((operation, _) -> {
        if (operation == Operation.SYNC_ALL) {
          throw new IOException("injected");
        }
      });
      assertThatThrownBy(store::checkpoint).hasMessage("injected");
      store.put("b", "1");
      AtomicInteger left = new AtomicInteger(moves);
      disk.fault((operation, path) -> {
        if (operation == Operation.MOVE
            && path.toString().contains("journal")
            && left.getAndDecrement() <= 0) {
          throw new IOException("injected");
        }
      });
      assertThatThrownBy(store::checkpoint).hasMessage("injected");
      assertThat(outbox(store).next(MANY, LARGE)).isEmpty();
      Path crashed = store.crashedTo(fresh());
      assertThat(segments(crashed)).hasSize(moves);
      assertThat(Opened.names(own(crashed, "journal"))).hasSize(5 - moves);
      disk.heal();
      store.checkpoint();
      List<String> expected = List.of("create notes", "put notes {a=1, b=1}");
      assertThat(ship(store)).isEqualTo(expected);
      store.close();
      try (Opened again = open(crashed)) {
        assertThat(outbox(again).next(MANY, LARGE)).isEmpty();
        assertThat(ship(again.checkpoint())).isEqualTo(expected);
        assertThat(gap(again)).isEmpty();
      }
    }
  }

  @Test
  void withoutItsStateEverythingThatWaitsIsToldAgainAndAGapNoted() throws Exception {
    for (boolean isDamaged : new boolean[] {false, true}) {
      Path root = Files.createDirectory(fresh());
      try (Opened store = open(root).create(NOTES).put("a", "1").put("b", "1").checkpoint()) {
        outbox(store).acknowledge(2);
      }
      Path state = own(root, "outbox/state");
      if (isDamaged) {
        byte[] bytes = Files.readAllBytes(state);
        bytes[14] ^= 1;
        Files.write(state, bytes);
      } else {
        Files.delete(state);
      }
      try (Opened store = open(root)) {
        assertThat(gap(store).orElseThrow()).contains("how far the outbox was sent");
        assertThat(ship(store)).containsExactly("create notes", "put notes {a=1, b=1}");
        store.put("c", "1").checkpoint();
        assertThat(ship(store)).containsExactly("put notes {c=1}");
        outbox(store).clearGap(outbox(store).gaps());
      }
      assertThat(trash(root).contains("state")).isEqualTo(isDamaged);
      try (Opened store = open(root)) {
        assertThat(gap(store)).isEmpty();
      }
    }
  }

  @Test
  void ofADamagedSegmentTheRestIsToldAndItGoesToTheTrash() throws Exception {
    try (Opened store = open(root()).create(NOTES).put("a", "1").checkpoint()) {
      assertThat(ship(store)).hasSize(2);
      store.put("b", "1").put("lost", "precious").put("c", "1").checkpoint();
    }
    String name = segments(root()).getFirst();
    Path file = own(root(), "outbox/" + name);
    byte[] bytes = Files.readAllBytes(file);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    bytes[text.indexOf("precious")] ^= 1;
    Files.write(file, bytes);
    try (Opened store = open(root())) {
      assertThat(outbox(store).next(MANY, LARGE).map(OutboxTest::told)).hasValue("put notes {b=1}");
      assertThat(gap(store)).as("before it is reached").isEmpty();
      assertThat(ship(store)).containsExactly("put notes {b=1}", "put notes {c=1}");
      assertThat(gap(store).orElseThrow())
          .isEqualTo(
              "the writes 4 to 4 are not in the outbox: parts of " + name + " cannot be read");
      assertThat(segments(root())).isEmpty();
      assertThat(trash(root())).contains(name);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aTailThatACrashLeftIsNoGap(boolean isTorn) throws Exception {
    Opened store = open(root()).create(NOTES).put("a", "1");
    Path crashed = store.crashedTo(fresh());
    store.close();
    String name = Opened.names(own(crashed, "journal")).getFirst();
    Path file = own(crashed, "journal").resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    assertThat(bytes[bytes.length - 1]).as("room for what was to come").isZero();
    bytes[bytes.length - 1] = (byte) (isTorn ? 1 : 0);
    Files.write(file, bytes);
    try (Opened again = open(crashed)) {
      again.put("b", "1").checkpoint();
      assertThat(ship(again)).containsExactly("create notes", "put notes {a=1, b=1}");
      assertThat(gap(again)).isEmpty();
      assertThat(trash(crashed).contains(name)).isEqualTo(isTorn);
      assertThat(segments(crashed)).isEmpty();
    }
  }

  @Test
  void writesOfACollectionWithoutANameAreAGapAndTheirSegmentIsKept() throws Exception {
    try (Opened store = open(root()).create(NOTES).checkpoint()) {
      assertThat(ship(store)).hasSize(1);
      store.put("a", "1").put("b", "1").drop(NOTES);
      store.create("other").checkpoint();
    }
    Files.delete(own(root(), "outbox/state"));
    List<String> waiting = segments(root());
    try (Opened store = open(root())) {
      assertThat(ship(store)).containsExactly("create other");
      assertThat(gap(store).orElseThrow()).contains("its name is not known");
      assertThat(trash(root())).contains(waiting.getFirst());
    }
  }

  @Test
  void whatWasWrittenWhileItWasOffIsAGap() throws Exception {
    try (Opened store = Opened.of(root(), new LocalDisk(), WITHOUT).create(NOTES)) {
      assertThat(store.keeper().outbox()).isEmpty();
      store.put("before", "1");
    }
    try (Opened store = open(root()).put("a", "1").checkpoint()) {
      assertThat(ship(store)).as("from here on").containsExactly("put notes {a=1}");
      assertThat(gap(store)).hasValue(Outbox.NEVER_SENT);
      outbox(store).clearGap(outbox(store).gaps());
      store.put("waits", "1");
    }
    List<String> waiting = segments(root());
    try (Opened store = Opened.of(root(), new LocalDisk(), WITHOUT).put("b", "1")) {
      store.checkpoint();
      assertThat(segments(root())).isEqualTo(waiting);
    }
    try (Opened store = open(root()).put("c", "1").checkpoint()) {
      assertThat(ship(store)).containsExactly("put notes {waits=1}", "put notes {c=1}");
      assertThat(gap(store).orElseThrow()).contains("it was off when they were made");
    }
  }

  @Test
  void whereItBeginsIsNotedBeforeAnythingElse() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Opened before = Opened.of(root(), disk, WITHOUT).create(NOTES).put("before", "1");
    disk.fault((operation, path) -> {
      if (operation == Operation.REMOVE && path.toString().contains("journal")) {
        throw new IOException("injected");
      }
    });
    assertThatThrownBy(before::checkpoint).hasMessage("injected");
    Path crashed = before.crashedTo(fresh());
    disk.heal();
    before.close();
    assertThat(Opened.names(own(crashed, "journal"))).as("covered, and still there").hasSize(2);

    Opened first = open(crashed);
    assertThat(outbox(first).isNew()).isTrue();
    Path again = first.checkpoint().crashedTo(fresh());
    first.close();
    try (Opened store = open(again)) {
      assertThat(outbox(store).isNew()).isFalse();
      assertThat(gap(store)).hasValue(Outbox.NEVER_SENT);
    }
  }

  @Test
  void anEmptyStoreHasAnOutboxFromItsFirstOpening() throws Exception {
    Opened store = open(root());
    Path crashed = store.crashedTo(fresh());
    store.close();
    try (Opened again = open(crashed).create(NOTES).checkpoint()) {
      assertThat(outbox(again).isNew()).isFalse();
      assertThat(ship(again)).containsExactly("create notes");
      assertThat(gap(again)).isEmpty();
    }
  }

  @Test
  void aGapStaysUntilWhatItSpeaksOfWasCompared() throws Exception {
    try (Opened store = open(root()).create(NOTES)) {
      Outbox outbox = outbox(store);
      long before = outbox.gaps();
      try (Outbox.Change change = outbox.change("it changes")) {
        outbox.clearGap(outbox.gaps());
        assertThat(gap(store)).as("it is not so yet").hasValue("it changes");
        assertThat(change).isNotNull();
      }
      outbox.clearGap(before);
      assertThat(gap(store)).as("compared before it was so").isPresent();
      long compared = outbox.gaps();
      outbox.change("it changes").close();
      outbox.clearGap(compared);
      assertThat(gap(store)).as("the same again").isPresent();
      outbox.clearGap(outbox.gaps());
      assertThat(gap(store)).isEmpty();
    }
  }

  @Test
  void withoutTheCatalogWhatWaitedGoesToTheTrash() throws Exception {
    try (Opened store = open(root()).create(NOTES).put("a", "1")) {
      store.checkpoint();
    }
    List<String> waiting = segments(root());
    Files.delete(own(root(), "manifest"));
    Files.delete(own(root(), "manifest.copy"));
    try (Opened store = open(root()).put("b", "1").checkpoint()) {
      assertThat(ship(store)).containsExactly("put notes {b=1}");
      assertThat(gap(store).orElseThrow()).contains("numbers began anew");
      assertThat(trash(root())).containsAll(waiting);
    }
  }

  @Test
  void aLinkInItsPlaceIsMovedAsideAndALaterVersionIsNotTouched() throws Exception {
    Path elsewhere = Files.createDirectory(temp.resolve("elsewhere"));
    Files.createDirectory(own(root(), ""));
    Files.createSymbolicLink(own(root(), "outbox"), elsewhere);
    try (Opened store = open(root()).create(NOTES).put("a", "1").checkpoint()) {
      assertThat(elsewhere).isEmptyDirectory();
      assertThat(ship(store)).hasSize(2);
    }
    assertThat(own(root(), "outbox.stray")).isSymbolicLink();
  }

  @Test
  void afterTheStoreIsClosedNothingIsTold() throws Exception {
    Opened store = open(root()).create(NOTES).put("a", "1").checkpoint();
    Outbox outbox = outbox(store);
    store.close();
    assertThatThrownBy(() -> outbox.next(MANY, LARGE)).hasMessage("the store is closed");
    assertThatThrownBy(() -> outbox.acknowledge(1)).hasMessage("the store is closed");
    assertThat(segments(root())).isNotEmpty();
  }

  @Test
  void whateverHappensARemoteThatDoesAsToldHoldsWhatTheStoreHolds() throws Exception {
    Random random = Seed.random("OutboxTest.whateverHappens");
    for (int round = 0; round < 8; round++) {
      Path root = Files.createDirectory(fresh());
      FaultyDisk disk = new FaultyDisk();
      Remote remote = new Remote();
      Opened store = open(root, disk).create(NOTES);
      for (int step = 0; step < 80; step++) {
        String id = "doc " + random.nextInt(12);
        switch (random.nextInt(14)) {
          case 0, 1 -> store.checkpoint();
          case 2, 3 -> shipSome(store, remote, random);
          case 4 -> fail(store, disk, 1 + random.nextInt(4));
          case 5 -> {
            Path crashed = store.crashedTo(fresh());
            store.close();
            disk = new FaultyDisk();
            store = open(crashed, disk);
          }
          case 6 -> {
            store.drop(NOTES);
            store.create(NOTES);
          }
          case 7 -> store.purgePacks();
          case 8, 9, 10 -> store.remove(id);
          default -> store.put(id, "step " + step, id + "'s twin", "step " + step);
        }
        if (random.nextInt(3) == 0) {
          again(outbox(store), remote);
        }
      }
      store.checkpoint();
      while (shipSome(store, remote, random)) {
        assertThat(gap(store)).isEmpty();
      }
      assertThat(remote.collections).isEqualTo(store.contents());
      assertThat(gap(store)).isEmpty();
      assertThat(outbox(store).status().waitingBytes()).isZero();
      store.close();
    }
  }

  /** Does what comes next without acknowledging it, as one that dies does. */
  private static void again(Outbox outbox, Remote remote) throws IOException {
    outbox.next(3, LARGE).ifPresent(remote::apply);
  }

  private static boolean shipSome(Opened store, Remote remote, Random random) throws IOException {
    for (int n : IntStream.range(0, 1 + random.nextInt(4)).toArray()) {
      int most = random.nextBoolean() ? MANY : 1 + n;
      Optional<Shipment> next = outbox(store).next(most, LARGE);
      if (next.isEmpty()) {
        return false;
      }
      remote.apply(next.get());
      outbox(store).acknowledge(next.get().through());
    }
    return true;
  }
}
