package dev.contextd.engine;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.KnownStore;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.parallel.Workers;
import dev.contextd.testkit.PowerCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Random writes to a store, by writers that share a collection and have some of their own, with the
 * store closed and opened again between rounds.
 *
 * <p>Ids are few, so that documents are replaced, deleted and written again often; names of
 * collections too, so that a collection follows a deleted one of its name.
 */
final class PowerWorkload {
  static final String PARENT_NAME = "data";
  static final String ROOT_NAME = "store";
  static final Path ROOT = Path.of("/", PARENT_NAME, ROOT_NAME).toAbsolutePath();
  static final String SHARED = "shared";

  /**
   * Until the journal makes a call one record, each document of a call is a file of its own, and a
   * loss of power may keep some of them.
   */
  static final boolean CALLS_ARE_ATOMIC = true;

  private static final int ROUNDS = 3;
  private static final int IDS = 6;
  private static final int MAX_BATCH = 4;
  private static final int LONG_BYTES = 9_000;
  private static final int SHOWN_BYTES = 20;

  private final PowerCalls disk;
  private final StoreOptions options;
  private final Beside beside;
  private final List<PowerHistory> histories = new ArrayList<>();

  private PowerWorkload(PowerCalls disk, StoreOptions options, Beside beside) {
    this.disk = disk;
    this.options = options;
    this.beside = beside;
  }

  /** What else is done with the store, after each call of a writer. */
  @FunctionalInterface
  interface Beside {
    void turn(VectorStore store, Random random);
  }

  /**
   * Runs to the end.
   *
   * @param writers one repeats the same operations with the same seed; more are threads
   * @param calls of each writer and round
   */
  static PowerWorkload run(PowerCalls disk, long seed, int writers, int calls) throws Exception {
    return run(disk, seed, writers, calls, StoreOptions.defaults(), (_, _) -> {});
  }

  /**
   * As {@link #run(PowerCalls, long, int, int)}.
   *
   * @param options how the store is opened, but for its disk
   */
  static PowerWorkload run(
      PowerCalls disk, long seed, int writers, int calls, StoreOptions options, Beside beside)
      throws Exception {
    PowerWorkload workload = new PowerWorkload(disk, options, beside);
    List<Writer> all = new ArrayList<>();
    Random seeds = new Random(seed);
    for (int i = 0; i < writers; i++) {
      all.add(workload.new Writer("w" + i, new Random(seeds.nextLong())));
    }
    for (int round = 0; round < ROUNDS; round++) {
      try (VectorStore store = open(disk, workload.options)) {
        if (round == 0) {
          workload.createShared(store);
        }
        workload.runRound(store, all, calls);
      }
    }
    return workload;
  }

  static VectorStore open(PowerCalls disk) throws IOException {
    return open(disk, StoreOptions.defaults());
  }

  static VectorStore open(PowerCalls disk, StoreOptions options) throws IOException {
    return VectorStore.open(ROOT, options.withDisk(new LocalDisk(disk)));
  }

  List<PowerHistory> histories() {
    return histories;
  }

  /** How long the log was when the store had been opened for the first time. */
  int firstCall() {
    return histories.stream().mapToInt(PowerHistory::begin).min().orElse(0);
  }

  private void createShared(VectorStore store) {
    PowerHistory history = new PowerHistory(SHARED);
    int begin = disk.logLength();
    store.create(SHARED, Map.of());
    SortedMap<String, String> after = new TreeMap<>(Map.of(SHARED + "/", "{}"));
    history.add(new PowerHistory.Call(begin, disk.logLength(), "create", after, true));
    histories.add(history);
  }

  private void runRound(VectorStore store, List<Writer> writers, int calls) throws Exception {
    if (writers.size() == 1) {
      writers.getFirst().write(store, calls);
      return;
    }
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(writers.size())) {
      for (Writer writer : writers) {
        running.add(threads.submit(() -> writer.write(store, calls)));
      }
    }
    for (Future<?> writer : running) {
      writer.get();
    }
  }

  /** All that a store serves, as a {@link PowerHistory} tells it. */
  static SortedMap<String, String> contents(VectorStore store) {
    SortedMap<String, String> contents = new TreeMap<>();
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      contents.put(info.name() + "/", new TreeMap<>(info.metadata()).toString());
      VectorCollection collection = store.collection(info.name(), Scope.ALL).orElseThrow();
      Page page = collection.page(Optional.empty(), Limits.MAX_PAGE_DOCUMENTS);
      for (Document document : page.documents()) {
        contents.put(
            info.name() + "/" + document.id(),
            tell(document.content(), document.metadata(), document.embedding()));
      }
    }
    return contents;
  }

  static String tell(StoredDocument document) {
    Map<String, String> metadata = document.metadata();
    return tell(document.content(), metadata == null ? Map.of() : metadata, document.embedding());
  }

  private static String tell(
      String content, @Nullable Map<String, String> metadata, float[] embedding) {
    String shown =
        content.length() <= SHOWN_BYTES
            ? content
            : "%s... (%d characters, hash %x)"
                .formatted(content.substring(0, SHOWN_BYTES), content.length(), content.hashCode());
    return shown + " " + metadata + " " + Arrays.toString(embedding);
  }

  /** One writer. */
  private final class Writer {
    private final String name;
    private final Random random;
    private final PowerHistory history;
    private SortedMap<String, String> state = new TreeMap<>();
    private int version;

    Writer(String name, Random random) {
      this.name = name;
      this.random = random;
      this.history = new PowerHistory(name);
      histories.add(history);
    }

    void write(VectorStore store, int calls) {
      for (int i = 0; i < calls; i++) {
        version++;
        int choice = random.nextInt(20);
        if (choice < 8) {
          upsert(store, random.nextInt(3) == 0 ? own() : SHARED, 1);
        } else if (choice < 12) {
          upsert(store, random.nextInt(3) == 0 ? own() : SHARED, 2 + random.nextInt(MAX_BATCH - 1));
        } else if (choice < 15) {
          delete(store, random.nextBoolean() ? own() : SHARED, 1);
        } else if (choice < 17) {
          delete(store, random.nextBoolean() ? own() : SHARED, 2 + random.nextInt(MAX_BATCH - 1));
        } else if (choice < 18) {
          create(store, own());
        } else {
          deleteCollection(store, own());
        }
        beside.turn(store, random);
      }
    }

    private String own() {
      return name + "-" + random.nextInt(2);
    }

    private void upsert(VectorStore store, String collection, int count) {
      SortedMap<String, String> after = new TreeMap<>(state);
      if (!collection.equals(SHARED)) {
        after.putIfAbsent(collection + "/", "{}");
      }
      Map<String, NewDocument> batch = new LinkedHashMap<>();
      while (batch.size() < count) {
        String id = id();
        NewDocument document = document(id);
        batch.put(id, document);
        after.put(
            collection + "/" + id,
            tell(document.content(), document.metadata(), document.embedding().orElseThrow()));
      }
      call(
          () -> store.upsert(collection, List.copyOf(batch.values()), Scope.ALL),
          "upsert " + collection + " " + batch.keySet(),
          after,
          count);
    }

    private String id() {
      return name + "-" + random.nextInt(IDS);
    }

    private NewDocument document(String id) {
      float[] vector = new float[3];
      vector[random.nextInt(vector.length)] = 1;
      String text = "version " + version;
      String content = random.nextInt(8) == 0 ? (text + " ").repeat(LONG_BYTES / 12) : text;
      NewDocument document = NewDocument.of(id, content, vector);
      return random.nextInt(4) == 0
          ? document
          : document.withMetadata(Map.of("version", "" + version));
    }

    private void delete(VectorStore store, String collection, int count) {
      if (!collection.equals(SHARED) && !state.containsKey(collection + "/")) {
        return;
      }
      List<String> ids = Stream.generate(this::id).limit(count).distinct().toList();
      SortedMap<String, String> after = new TreeMap<>(state);
      ids.forEach(id -> after.remove(collection + "/" + id));
      VectorCollection from = store.collection(collection, Scope.ALL).orElseThrow();
      call(() -> from.delete(ids), "delete " + collection + " " + ids, after, ids.size());
    }

    private void create(VectorStore store, String collection) {
      if (state.containsKey(collection + "/")) {
        return;
      }
      Map<String, String> metadata = Map.of("made", "" + version);
      SortedMap<String, String> after = new TreeMap<>(state);
      after.put(collection + "/", metadata.toString());
      call(() -> store.create(collection, metadata), "create " + collection, after, 1);
    }

    private void deleteCollection(VectorStore store, String collection) {
      if (!state.containsKey(collection + "/")) {
        return;
      }
      SortedMap<String, String> after = new TreeMap<>(state);
      after.keySet().removeIf(key -> key.startsWith(collection + "/"));
      call(() -> store.delete(collection, Scope.ALL), "delete collection " + collection, after, 1);
    }

    private void call(Runnable work, String what, SortedMap<String, String> after, int documents) {
      int begin = disk.logLength();
      work.run();
      boolean isWhole = CALLS_ARE_ATOMIC || documents == 1;
      history.add(new PowerHistory.Call(begin, disk.logLength(), what, after, isWhole));
      state = after;
    }
  }

  /** Tells what the gob files of a closed store hold by themselves. */
  static CheckReport tellFiles(FileCalls calls, Workers workers, Map<String, String> told)
      throws IOException {
    return new StoreCheck(new LocalDisk(calls), workers)
        .check(
            ROOT,
            KnownStore.NOTHING,
            intact -> {
              String name = intact.collection().name();
              told.put(name + "/", String.valueOf(intact.collection().metadata()));
              intact
                  .documents()
                  .forEach(found ->
                      told.put(name + "/" + found.document().id(), tell(found.document())));
            });
  }
}
