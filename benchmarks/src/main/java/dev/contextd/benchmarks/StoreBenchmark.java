package dev.contextd.benchmarks;

import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

/**
 * One measurement of a store on disk in a JVM of its own; {@code benchmarks/run-store} calls it in
 * turn with the same measurement of chromem-go.
 *
 * <p>Each command prints one line of numbers:
 *
 * <ul>
 *   <li>{@code force FOLDER COUNT}: median microseconds to append 4 KiB and {@code force(false)},
 *       and with {@code force(true)}
 *   <li>{@code load FOLDER DOCUMENTS}: documents a second in batches of {@value #BATCH}, until the
 *       last is acknowledged, and until the store is closed
 *   <li>{@code sustained FOLDER DOCUMENTS}: both figures of {@code load}, and both once more of a
 *       second store that the same process loads behind the first one
 *   <li>{@code single FOLDER CLIENTS DOCUMENTS}: of adds of one document, p50 and p99 in
 *       microseconds, and documents a second
 *   <li>{@code open FOLDER}: milliseconds from the call that opens the store to the first answer,
 *       and its number of hits
 *   <li>{@code reopen FOLDER}: the same of the {@value #OPENINGS}th opening of one process
 *   <li>{@code memory FOLDER}: bytes resident once the store is open and garbage is collected, and
 *       the number of collections
 * </ul>
 */
public final class StoreBenchmark {
  private static final String COLLECTION = "bench";
  private static final int BATCH = 1_000;
  private static final int LIMIT = 10;

  /** Adds of one document that each client makes before the clock starts. */
  private static final int WARMUP_DOCUMENTS = 200;

  private static final int OPENINGS = 8;
  private static final int APPEND_BYTES = 4 << 10;
  private static final int COLLECTIONS_OF_GARBAGE = 3;
  private static final long BETWEEN_COLLECTIONS_MILLIS = 200;
  private static final double NANOS_PER_MICRO = 1e3;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private StoreBenchmark() {}

  public static void main(String[] args) throws Exception {
    String command = args.length < 2 ? "" : args[0] + " " + (args.length - 2);
    switch (command) {
      case "force 1" -> force(Path.of(args[1]), Integer.parseInt(args[2]));
      case "load 1" -> print(load(Path.of(args[1]), Integer.parseInt(args[2])));
      case "sustained 1" -> sustained(Path.of(args[1]), Integer.parseInt(args[2]));
      case "single 2" ->
          single(Path.of(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]));
      case "open 0" -> print(open(Path.of(args[1])));
      case "reopen 0" -> reopen(Path.of(args[1]));
      case "memory 0" -> memory(Path.of(args[1]));
      default -> {
        System.err.println(
            "usage: StoreBenchmark force FOLDER COUNT | load FOLDER DOCUMENTS |"
                + " sustained FOLDER DOCUMENTS | single FOLDER CLIENTS DOCUMENTS | open FOLDER |"
                + " reopen FOLDER | memory FOLDER");
        System.exit(2);
      }
    }
  }

  private static void force(Path folder, int count) throws IOException {
    print(force(folder, count, false), force(folder, count, true));
  }

  private static double force(Path folder, int count, boolean metadata) throws IOException {
    Path file = Files.createTempFile(folder, "force", ".tmp");
    ByteBuffer bytes = ByteBuffer.allocateDirect(APPEND_BYTES);
    long[] nanos = new long[count];
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.APPEND)) {
      for (int i = 0; i < count; i++) {
        bytes.clear();
        long start = System.nanoTime();
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(metadata);
        nanos[i] = System.nanoTime() - start;
      }
    } finally {
      Files.delete(file);
    }
    Arrays.sort(nanos);
    return percentile(nanos, 50) / NANOS_PER_MICRO;
  }

  private static void sustained(Path folder, int documents) throws IOException {
    double[] young = load(folder.resolve("young"), documents);
    double[] warm = load(folder.resolve("warm"), documents);
    print(young[0], young[1], warm[0], warm[1]);
  }

  private static double[] load(Path folder, int documents) throws IOException {
    StoreDocuments source = new StoreDocuments();
    long start;
    long acknowledged;
    try (VectorStore store = VectorStore.open(folder, StoreOptions.defaults())) {
      VectorCollection collection = store.getOrCreate(COLLECTION, Scope.ALL);
      start = System.nanoTime();
      for (int from = 0; from < documents; from += BATCH) {
        List<NewDocument> batch = new ArrayList<>(BATCH);
        for (int i = from; i < Math.min(from + BATCH, documents); i++) {
          batch.add(source.document(i));
        }
        collection.upsert(batch);
      }
      acknowledged = System.nanoTime();
    }
    long closed = System.nanoTime();
    return new double[] {rate(documents, acknowledged - start), rate(documents, closed - start)};
  }

  private static void single(Path folder, int clients, int documents)
      throws IOException, InterruptedException, ExecutionException {
    StoreDocuments source = new StoreDocuments();
    int each = documents / clients;
    try (VectorStore store = VectorStore.open(folder, StoreOptions.defaults())) {
      VectorCollection collection = store.getOrCreate(COLLECTION, Scope.ALL);
      // Ids of the warm-up lie behind those that count.
      add(collection, source, clients * each, clients, WARMUP_DOCUMENTS);
      long start = System.nanoTime();
      long[] nanos = add(collection, source, 0, clients, each);
      double rate = rate(nanos.length, System.nanoTime() - start);
      print(percentile(nanos, 50) / NANOS_PER_MICRO, percentile(nanos, 99) / NANOS_PER_MICRO, rate);
    }
  }

  /** The times of adding {@code each} documents one by one in every client, sorted. */
  private static long[] add(
      VectorCollection collection, StoreDocuments source, int first, int clients, int each)
      throws InterruptedException, ExecutionException {
    long[] nanos = new long[clients * each];
    List<Callable<Void>> tasks = new ArrayList<>();
    for (int client = 0; client < clients; client++) {
      int from = client * each;
      tasks.add(() -> {
        for (int i = from; i < from + each; i++) {
          List<NewDocument> one = List.of(source.document(first + i));
          long start = System.nanoTime();
          collection.upsert(one);
          nanos[i] = System.nanoTime() - start;
        }
        return null;
      });
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
      for (Future<Void> done : threads.invokeAll(tasks)) {
        done.get();
      }
    }
    Arrays.sort(nanos);
    return nanos;
  }

  private static void reopen(Path folder) throws IOException, InterruptedException {
    for (int i = 1; i < OPENINGS; i++) {
      open(folder);
      collectGarbage(); // What the last one had in memory is not this one's affair.
    }
    print(open(folder));
  }

  private static double[] open(Path folder) throws IOException {
    Query query = Query.nearest(StoreDocuments.query(), LIMIT);
    long start = System.nanoTime();
    try (VectorStore store = VectorStore.open(folder, StoreOptions.defaults())) {
      int found =
          store
              .collection(COLLECTION, Scope.ALL)
              .map(collection -> collection.query(query).hits().size())
              .orElse(0);
      return new double[] {(System.nanoTime() - start) / NANOS_PER_MILLI, found};
    }
  }

  private static void memory(Path folder) throws IOException, InterruptedException {
    try (VectorStore store = VectorStore.open(folder, StoreOptions.defaults())) {
      // The map by id is made when it is first asked for, and counts.
      store.collection(COLLECTION, Scope.ALL).ifPresent(collection -> collection.get("0"));
      collectGarbage();
      print((double) residentBytes(), store.collections(Scope.ALL).size());
    }
  }

  private static void collectGarbage() throws InterruptedException {
    for (int i = 0; i < COLLECTIONS_OF_GARBAGE; i++) {
      System.gc();
      Thread.sleep(BETWEEN_COLLECTIONS_MILLIS);
    }
  }

  /** What Linux holds in memory for this process, from {@code VmRSS} in proc(5). */
  private static long residentBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    throw new IOException("/proc/self/status has no line VmRSS");
  }

  private static long percentile(long[] sorted, int percent) {
    return sorted[(int) ((long) (sorted.length - 1) * percent / 100)];
  }

  private static double rate(int documents, long nanos) {
    return documents * NANOS_PER_SECOND / nanos;
  }

  private static void print(double... figures) {
    System.out.println(
        Arrays.stream(figures)
            .mapToObj(figure -> String.format(Locale.ROOT, "%.1f", figure))
            .collect(Collectors.joining(" ")));
  }
}
