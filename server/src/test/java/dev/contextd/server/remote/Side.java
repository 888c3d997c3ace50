package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Page;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.ReadFrom;
import dev.contextd.resilience.remote.RemoteOptions;
import dev.contextd.resilience.remote.RemoteStatus;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.resilience.remote.RemoteSync;
import dev.contextd.storage.checkpoint.KeeperOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A store here with a remote one behind it, as the daemon has them. */
final class Side implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofMinutes(2);

  private final QdrantStore remote;
  private final ResilientStore store;

  private Side(QdrantStore remote, ResilientStore store) {
    this.remote = remote;
    this.store = store;
  }

  static RemoteOptions quick() {
    return RemoteOptions.defaults().withCheckInterval(Duration.ofMillis(200));
  }

  static Side open(Path root, int port) throws IOException {
    return open(root, port, quick());
  }

  static Side open(Path root, int port, RemoteOptions options) throws IOException {
    QdrantStore remote = remote(port);
    StoreOptions storeOptions =
        StoreOptions.defaults()
            .withKeeper(
                KeeperOptions.defaults().withInterval(Duration.ofMillis(50)).withOutbox(true));
    ResilientStore store = ResilientStore.open(root, storeOptions);
    store.remote().attach(remote, options);
    return new Side(remote, store);
  }

  /** The remote store holds the documents alone; what waits lies here. */
  static Side alone(Path root, int port, RemoteOptions options) throws IOException {
    return alone(root, port, options, StoreOptions.defaults());
  }

  static Side alone(Path root, int port, RemoteOptions options, StoreOptions storeOptions)
      throws IOException {
    QdrantStore remote = remote(port);
    ResilientStore store = ResilientStore.open(root, storeOptions);
    store.remote().attachAlone(remote, options, Optional.empty());
    return new Side(remote, store);
  }

  /** As {@link #quick}, with reads from both. */
  static RemoteOptions merged() {
    return quick().withReadFrom(ReadFrom.MERGED);
  }

  static QdrantStore remote(int port) throws IOException {
    return QdrantStore.open(
        QdrantOptions.at("127.0.0.1", port).withTimeout(Duration.ofSeconds(2)), Optional.empty());
  }

  DocumentStore documents() {
    return store.documents();
  }

  ResilientStore store() {
    return store;
  }

  RemoteSync sync() {
    return store.remote().sync().orElseThrow();
  }

  /** Returns when nothing waits any more, and the server answers. */
  void awaitShipped() {
    await()
        .atMost(PATIENCE)
        .until(() -> {
          RemoteStatus status = sync().status();
          return status.waitingBytes() == 0 && status.state() == State.UP;
        });
  }

  /** Returns when it was noticed that the server is away. */
  void awaitDown() {
    await().atMost(PATIENCE).until(() -> sync().status().state() == State.DOWN);
  }

  /** Everything in a store, by collection and id, without the vectors' last digits. */
  static Map<String, String> contents(DocumentStore store) {
    Map<String, String> all = new TreeMap<>();
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      VectorCollection collection = store.collection(info.name(), Scope.ALL).orElseThrow();
      Optional<String> after = Optional.empty();
      do {
        Page page = collection.page(after, 500);
        page.documents().forEach(one -> all.put(info.name() + "/" + one.id(), text(one)));
        after = page.next();
      } while (after.isPresent());
    }
    return all;
  }

  private static String text(Document document) {
    StringBuilder text = new StringBuilder(document.content());
    text.append(new TreeMap<>(document.metadata()));
    for (float value : document.embedding()) {
      text.append(Math.round(value * 1e4)).append(' ');
    }
    return text.toString();
  }

  /** The metadata of every collection in a store. */
  static Map<String, Map<String, String>> metadata(DocumentStore store) {
    Map<String, Map<String, String>> all = new TreeMap<>();
    store.collections(Scope.ALL).forEach(info -> all.put(info.name(), info.metadata()));
    return all;
  }

  /** Both hold the same, asked of the remote server itself, whatever lies in between. */
  void assertSame(int port) throws IOException {
    try (QdrantStore direct = remote(port)) {
      assertThat(contents(direct)).isEqualTo(contents(store.store()));
      assertThat(metadata(direct)).isEqualTo(metadata(store.store()));
    }
  }

  /** What callers see is what the remote server itself holds: nothing waits any more. */
  void assertAllThere(int port) throws IOException {
    try (QdrantStore direct = remote(port)) {
      assertThat(contents(direct)).isEqualTo(contents(documents()));
    }
    assertThat(sync().status().waitingBytes()).isZero();
  }

  @Override
  public void close() {
    store.close();
    remote.close();
  }
}
