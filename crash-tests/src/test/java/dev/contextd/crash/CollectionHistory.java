package dev.contextd.crash;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.resilience.ResilientStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jspecify.annotations.Nullable;

/**
 * What Lincheck does with a collection: each instance is a fresh collection of one real store, each
 * method one call. {@link Model} says what the calls mean.
 */
@Param(name = "id", gen = IntGen.class, conf = "0:2")
@Param(name = "value", gen = IntGen.class, conf = "1:9")
public class CollectionHistory {
  private static final int IDS = 3;
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private static @Nullable ResilientStore store;

  private final VectorCollection collection;

  static void open(Path root) throws IOException {
    store = ResilientStore.open(root, StoreOptions.defaults());
  }

  static void close() {
    opened().close();
    store = null;
  }

  /** How many collections there have been, one a history. */
  static int histories() {
    return NUMBER.get();
  }

  private static ResilientStore opened() {
    ResilientStore now = store;
    if (now == null) {
      throw new IllegalStateException("open it first");
    }
    return now;
  }

  public CollectionHistory() {
    String name = "history-" + NUMBER.getAndIncrement();
    this.collection = opened().store().getOrCreate(name, Scope.ALL);
  }

  private static NewDocument document(int id, int value) {
    return NewDocument.of("d" + id, Integer.toString(value), new float[] {value, id + 1});
  }

  /** Adds or replaces one document. */
  @Operation
  public void put(@Param(name = "id") int id, @Param(name = "value") int value) {
    collection.upsert(List.of(document(id, value)));
  }

  /** Adds or replaces all documents in one batch. */
  @Operation
  public void putAll(@Param(name = "value") int value) {
    collection.upsert(IntStream.range(0, IDS).mapToObj(id -> document(id, value)).toList());
  }

  @Operation
  public int delete(@Param(name = "id") int id) {
    return collection.delete(List.of("d" + id));
  }

  @Operation
  public String get(@Param(name = "id") int id) {
    return collection.get("d" + id).map(Document::content).orElse("none");
  }

  /** All documents in one call. */
  @Operation
  public String getAll() {
    Map<String, String> all = new TreeMap<>();
    collection
        .page(Optional.empty(), IDS + 1)
        .documents()
        .forEach(found -> all.put(found.id(), found.content()));
    return all.toString();
  }

  @Operation
  public int count() {
    return (int) collection.count();
  }

  /** The collection as one thread sees it. */
  public static class Model {
    private final Map<String, String> documents = new TreeMap<>();

    public void put(int id, int value) {
      documents.put("d" + id, Integer.toString(value));
    }

    public void putAll(int value) {
      IntStream.range(0, IDS).forEach(id -> put(id, value));
    }

    public int delete(int id) {
      return documents.remove("d" + id) == null ? 0 : 1;
    }

    public String get(int id) {
      return documents.getOrDefault("d" + id, "none");
    }

    public String getAll() {
      return documents.toString();
    }

    public int count() {
      return documents.size();
    }
  }
}
