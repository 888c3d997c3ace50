package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.doc;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.testkit.StoreRoot;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** While packs are being merged everything else goes on. */
class MergingTest {
  private static final int FOREVER_MINUTES = 2;
  private static final int VERSIONS = 200;
  private static final int IDS = 40;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /**
   * The real disk, on which something happens when a merged pack is durable and not yet in place.
   */
  private static final class InBetween extends ForwardingDisk {
    private final Disk real = new LocalDisk();
    private volatile Attempt attempt = () -> {};

    @FunctionalInterface
    private interface Attempt {
      void run() throws Exception;
    }

    @Override
    protected Disk next() {
      return real;
    }

    @Override
    public void syncNames(Path directory) throws IOException {
      if (directory.endsWith("packs")) {
        try {
          attempt.run();
        } catch (Exception e) {
          throw new IOException(e);
        }
      }
      super.syncNames(directory);
    }
  }

  private long packs() throws IOException {
    try (Stream<Path> files = Files.list(root.path().resolve(".contextd/packs"))) {
      return files.count();
    }
  }

  @Test
  void readersAndWritersGoOnWhilePacksAreMerged() throws Exception {
    InBetween disk = new InBetween();
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    StoreOptions options = StoreOptions.defaults().withDisk(disk);
    try (ExecutorService threads = Executors.newCachedThreadPool();
        VectorStore store = VectorStore.open(root.path(), options)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 0, 1)));
      store.upsert("gone", List.of(doc("x", 1, 0), doc("y", 1, 0)), Scope.ALL);
      store.checkpoint();
      notes.upsert(List.of(doc("b", 1, 1), doc("c", 1, 0)));
      store.upsert("gone", List.of(doc("x", 0, 1)), Scope.ALL);
      store.checkpoint();
      assertThat(packs()).isEqualTo(4);
      disk.attempt =
          () -> {
            reached.countDown();
            released.await();
          };
      Future<Integer> merging = threads.submit(() -> store.purge(Duration.ZERO));
      assertThat(reached.await(FOREVER_MINUTES, TimeUnit.MINUTES)).isTrue();

      Future<?> others = threads.submit(() -> readAndWrite(store, notes));
      try {
        others.get(FOREVER_MINUTES, TimeUnit.MINUTES);
        assertThat(merging).as("held up all the while").isNotDone();
      } finally {
        released.countDown();
      }
      merging.get();
      assertServed(store);
    }
    assertThat(packs()).as("one merged, and one of what was written meanwhile").isEqualTo(2);
    try (VectorStore store = Given.open(root.path())) {
      assertServed(store);
    }
  }

  private boolean isInPacks(String text) throws IOException {
    try (Stream<Path> files = Files.list(root.path().resolve(".contextd/packs"))) {
      for (Path file : files.toList()) {
        if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text)) {
          return true;
        }
      }
    }
    return false;
  }

  @Test
  void whatIsDeletedWhileItIsMergedGoesWithTheNextPurge() throws Exception {
    InBetween disk = new InBetween();
    try (VectorStore store =
        VectorStore.open(root.path(), StoreOptions.defaults().withDisk(disk))) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 0, 1), doc("c", 1, 1), doc("d", 2, 1)));
      store.checkpoint();
      notes.delete(List.of("a"));
      disk.attempt =
          () -> {
            disk.attempt = () -> {};
            notes.delete(List.of("b"));
            store.checkpoint();
          };
      store.purge(Duration.ZERO);
      assertThat(isInPacks("content of a")).isFalse();
      store.purge(Duration.ZERO);
      assertThat(isInPacks("content of b")).isFalse();
      assertThat(isInPacks("content of c")).isTrue();
    }
  }

  @Test
  void aPurgeEndsHoweverMuchIsReplacedMeanwhile() throws Exception {
    InBetween disk = new InBetween();
    try (VectorStore store =
        VectorStore.open(root.path(), StoreOptions.defaults().withDisk(disk))) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(IntStream.range(0, IDS).mapToObj(i -> doc("d" + i, 1, 0)).toList());
      store.checkpoint();
      notes.delete(List.of("d0"));
      AtomicInteger merges = new AtomicInteger();
      disk.attempt =
          () -> {
            notes.upsert(List.of(doc("d" + (1 + merges.incrementAndGet() % 8), 1, 1)));
            store.checkpoint();
            if (merges.get() > IDS) {
              throw new AssertionError("the same is merged again and again");
            }
          };
      store.purge(Duration.ZERO);
      assertThat(merges).hasPositiveValue();
      disk.attempt = () -> {};
    }
  }

  @Test
  void nothingOfAnotherRootIsTouched(@TempDir Path parent) throws Exception {
    InBetween disk = new InBetween();
    Path own = parent.resolve("store");
    try (VectorStore store = VectorStore.open(own, StoreOptions.defaults().withDisk(disk))) {
      store.upsert("notes", List.of(doc("a", 1, 0), doc("b", 1, 0), doc("c", 1, 0)), Scope.ALL);
      store.checkpoint();
      store.upsert("notes", List.of(doc("a", 0, 1)), Scope.ALL);
      store.checkpoint();
      Path packs = own.resolve(".contextd/packs");
      List<Path> another = new ArrayList<>();
      disk.attempt =
          () -> {
            disk.attempt = () -> {};
            List<String> names = disk.real.names(packs);
            Files.move(own, parent.resolve("aside"));
            Files.createDirectories(packs);
            for (String name : names) {
              another.add(Files.writeString(packs.resolve(name), "another store's"));
            }
          };
      assertThatThrownBy(() -> store.purge(Duration.ZERO))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("another");
      assertThat(another).hasSize(3).allSatisfy(file -> assertThat(file).exists());
      Files.move(own, parent.resolve("another"));
      Files.move(parent.resolve("aside"), own);
    }
  }

  @Test
  void packsAreMergedAsDocumentsAreReplacedAndDeleted() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    Map<String, Integer> expected = new TreeMap<>();
    try (ExecutorService threads = Executors.newCachedThreadPool();
        VectorStore store = Given.open(root.path())) {
      AtomicBoolean isOver = new AtomicBoolean();
      Runnable purge = () -> store.purge(Duration.ZERO);
      List<Future<?>> beside = new ArrayList<>();
      for (Runnable work : List.<Runnable>of(purge, purge, store::trash)) {
        beside.add(
            threads.submit(() -> {
              while (!isOver.get()) {
                work.run();
              }
            }));
      }
      try {
        for (int version = 1; version <= VERSIONS; version++) {
          VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
          write(notes, random, version, expected);
          if (random.nextInt(8) == 0) {
            store.checkpoint();
          }
          if (random.nextInt(100) == 0) {
            store.delete("notes", Scope.ALL);
            expected.clear();
          }
        }
        store.getOrCreate("notes", Scope.ALL);
      } finally {
        isOver.set(true);
      }
      for (Future<?> one : beside) {
        one.get();
      }
      assertThat(versions(store)).isEqualTo(expected);
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(versions(store)).isEqualTo(expected);
      assertThat(store.openReport().damage()).isEmpty();
    }
  }

  private static void write(
      VectorCollection notes, Random random, int version, Map<String, Integer> expected) {
    List<String> ids = new ArrayList<>();
    for (int i = random.nextInt(6); i >= 0; i--) {
      ids.add("d" + random.nextInt(IDS));
    }
    List<String> distinct = ids.stream().distinct().toList();
    if (random.nextInt(3) == 0) {
      notes.delete(distinct);
      expected.keySet().removeAll(distinct);
    } else {
      notes.upsert(distinct.stream().map(id -> doc(id, version, 1)).toList());
      distinct.forEach(id -> expected.put(id, version));
    }
  }

  private static Map<String, Integer> versions(VectorStore store) {
    Map<String, Integer> versions = new TreeMap<>();
    collection(store, "notes")
        .page(Optional.empty(), 1_000)
        .documents()
        .forEach(found -> versions.put(found.id(), version(found.embedding())));
    return versions;
  }

  /** What was given is stored at unit length. */
  private static int version(float[] embedding) {
    return Math.round(embedding[0] / embedding[1]);
  }

  private static void readAndWrite(VectorStore store, VectorCollection notes) {
    notes.upsert(List.of(doc("d", 0, 1), doc("a", 2, 1)));
    notes.delete(List.of("c"));
    store.create("other", Map.of());
    store.upsert("third", List.of(doc("x", 1, 0)), Scope.ALL);
    store.delete("third", Scope.ALL);
    store.delete("gone", Scope.ALL);
    store.checkpoint();
    assertServed(store);
  }

  private static void assertServed(VectorStore store) {
    VectorCollection notes = collection(store, "notes");
    assertThat(notes.count()).isEqualTo(3);
    assertThat(notes.get("a")).isPresent();
    assertThat(notes.page(Optional.empty(), 10).documents())
        .extracting(Document::id)
        .containsExactlyInAnyOrder("a", "b", "d");
    assertThat(notes.query(Query.nearest(new float[] {0, 1}, 1)).hits())
        .extracting(hit -> hit.document().id())
        .containsExactly("d");
    assertThat(store.collections(Scope.ALL))
        .extracting(CollectionInfo::name)
        .containsExactlyInAnyOrder("notes", "other");
  }
}
