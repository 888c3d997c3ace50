package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.Comparison;
import dev.contextd.resilience.remote.Migrations;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.testkit.StoreRoot;
import java.io.RandomAccessFile;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What holds without a mirror where somebody else, or damage, comes in between. */
@Timeout(60)
class PendingPromisesTest {
  private static final String NOTES = "notes";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final FakeQdrant server = FakeQdrant.open();

  private static NewDocument document(String id) {
    return NewDocument.of(id, "text of " + id, new float[] {1, 2, 3});
  }

  private static Scope tenant(int number) {
    return new Scope(Map.of("tenant_id", "t" + number), Set.of("tenant_id"));
  }

  private static VectorCollection notes(ResilientStore store) {
    return store.documents().collection(NOTES, Scope.ALL).orElseThrow();
  }

  private interface Hook {
    Object call(String method, Object[] args, java.util.concurrent.Callable<Object> delegate)
        throws Exception;
  }

  private static RemoteStore hooked(RemoteStore to, Hook hook) {
    return (RemoteStore)
        Proxy.newProxyInstance(
            PendingPromisesTest.class.getClassLoader(),
            new Class<?>[] {RemoteStore.class},
            (_, method, args) ->
                hook.call(
                    method.getName() + (args == null ? 0 : args.length),
                    args == null ? new Object[0] : args,
                    () -> {
                      try {
                        return method.invoke(to, args);
                      } catch (InvocationTargetException e) {
                        throw (Exception) e.getCause();
                      }
                    }));
  }

  /** A collection that appeared since the server was last met; a tenant's id is not checked. */
  @Test
  void aTenantsWriteNeedsTheServerInACollectionNotKnownYet() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged());
        QdrantStore stranger = Side.remote(server.port())) {
      side.sync().sync(false);
      stranger.upsert(NOTES, List.of(document("x")), tenant(1));
      server.stop();
      side.awaitDown();
      try {
        side.documents()
            .upsert(
                NOTES, List.of(NewDocument.of("x", "stolen", new float[] {3, 2, 1})), tenant(2));
      } catch (StoreException e) {
        // As REMOTE.md has it: "a write of a tenant under an id of its own need the server".
      }
      server.start();
      side.sync().resetBreaker();
      side.sync().sync(false);
      assertThat(
              stranger
                  .collection(NOTES, tenant(1))
                  .orElseThrow()
                  .get("x")
                  .map(one -> one.content()))
          .contains("text of x");
    }
  }

  /** A reader that asked before the creation notes, after it was shipped, that it is not there. */
  @Test
  void aLateAnswerDoesNotUnknowACollection() throws Exception {
    AtomicBoolean armed = new AtomicBoolean();
    AtomicReference<ResilientStore> made = new AtomicReference<>();
    AtomicReference<Thread> other = new AtomicReference<>();
    try (FakeQdrant _ = server;
        QdrantStore direct = Side.remote(server.port())) {
      RemoteStore remote =
          hooked(
              direct,
              (method, _, delegate) -> {
                Object answer = delegate.call();
                if (method.equals("collection2") && armed.compareAndSet(true, false)) {
                  other.set(
                      Thread.ofPlatform()
                          .start(() -> {
                            ResilientStore store = made.get();
                            store.documents().upsert(NOTES, List.of(document("x")), tenant(1));
                            store.remote().sync().orElseThrow().sync(false);
                          }));
                  org.awaitility.Awaitility.await()
                      .until(() -> direct.collection(NOTES, Scope.ALL).isPresent());
                }
                return answer;
              });
      try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
        made.set(store);
        store.remote().attachAlone(remote, Side.merged(), Optional.empty());
        store.remote().sync().orElseThrow().sync(false);
        armed.set(true);
        assertThat(store.documents().collection(NOTES, Scope.ALL)).isEmpty();
        other.get().join();
        assertThat(direct.collection(NOTES, Scope.ALL).orElseThrow().count()).isOne();
        server.stop();
        org.awaitility.Awaitility.await()
            .until(() -> store.remote().sync().orElseThrow().status().state() == State.DOWN);
        // Its dimension is known to be 3, and was acknowledged so.
        assertThatThrownBy(() ->
                store
                    .documents()
                    .upsert(
                        NOTES,
                        List.of(NewDocument.of("y", "", new float[] {1, 2, 3, 4})),
                        Scope.ALL))
            .isInstanceOf(StoreException.class);
      }
    }
  }

  private static List<Path> segments(Path directory) throws Exception {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** The deletion cannot be read any more, the elder document can: nobody is told. */
  @Test
  void aDamagedKeptSegmentBringsNothingBack() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.documents().upsert(NOTES, List.of(document("a"), document("bye")), Scope.ALL);
        side.sync().sync(false);
      }
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        notes(side.store()).delete(List.of("bye"));
        side.sync().sync(false);
      }
      Path pending = root.path().resolve(".contextd/pending");
      List<Path> all = new ArrayList<>(segments(pending.resolve("shipped")));
      all.addAll(segments(pending.resolve("journal")));
      boolean damaged = false;
      for (Path file : all) {
        byte[] bytes = Files.readAllBytes(file);
        String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
        if (text.contains("bye") && !text.contains("text of bye")) {
          bytes[text.indexOf("bye")] ^= 1;
          Files.write(file, bytes);
          damaged = true;
        }
      }
      assertThat(damaged).isTrue();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        Comparison found = side.sync().verify(true);
        System.out.println("EXAMPLES " + found + " gap " + side.sync().status().gap());
        assertThat(notes(side.store()).get("bye")).as(found.toString()).isEmpty();
      }
    }
  }

  /** One batch that the server refused keeps the repair of others from being done. */
  @Test
  void whatWasRefusedDoesNotKeepTheRestFromBeingRepaired() throws Exception {
    List<String> names = List.of("c0", "c1", "c2", "c3", "c4", "diary", "plans", "zzz");
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged());
        QdrantStore stranger = Side.remote(server.port())) {
      side.sync().sync(false);
      side.sync().pause();
      for (String name : names) {
        side.documents().upsert(name, List.of(document("c")), Scope.ALL);
      }
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      stranger.upsert(NOTES, List.of(NewDocument.of("x", "", new float[] {1, 2, 3, 4})), Scope.ALL);
      side.sync().resume();
      side.sync().sync(false);
      for (String name : names) {
        stranger.collection(name, Scope.ALL).orElseThrow().delete(List.of("c"));
      }
      side.sync().verify(true);
      for (String name : names) {
        assertThat(stranger.collection(name, Scope.ALL).orElseThrow().count()).as(name).isOne();
      }
    }
  }

  /** A batch that arrives while the query is embedded is seen half. */
  @Test
  void aBatchIsSeenWholeOrNotAtAll() throws Exception {
    CountDownLatch half = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicBoolean armed = new AtomicBoolean();
    AtomicReference<Runnable> hook = new AtomicReference<>(() -> {});
    try (FakeQdrant _ = server;
        QdrantStore direct = Side.remote(server.port())) {
      RemoteStore remote =
          hooked(
              direct,
              (method, args, delegate) -> {
                if (method.equals("upsert3") && armed.compareAndSet(true, false)) {
                  // As QdrantStore: what is larger than one message goes in several.
                  @SuppressWarnings("unchecked")
                  List<NewDocument> documents = (List<NewDocument>) args[1];
                  direct.upsert((String) args[0], documents.subList(0, 1), (Scope) args[2]);
                  half.countDown();
                  go.await(20, TimeUnit.SECONDS);
                }
                return delegate.call();
              });
      try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
        store
            .remote()
            .attachAlone(
                remote, Side.merged(), Optional.of(new OneVector("one", () -> hook.get().run())));
        store.documents().upsert(NOTES, List.of(NewDocument.ofText("old", "old")), Scope.ALL);
        store.remote().sync().orElseThrow().sync(false);
        hook.set(() -> {
          hook.set(() -> {});
          armed.set(true);
          store
              .documents()
              .upsert(
                  NOTES,
                  List.of(
                      NewDocument.of("a", "", new float[] {1, 0, 0}),
                      NewDocument.of("b", "", new float[] {1, 0, 0})),
                  Scope.ALL);
          try {
            assertThat(half.await(20, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
        QueryResult found = notes(store).query(Query.nearest("a text", 9));
        go.countDown();
        List<String> ids = found.hits().stream().map(hit -> hit.document().id()).toList();
        assertThat(ids.contains("a")).as(ids.toString()).isEqualTo(ids.contains("b"));
      } finally {
        go.countDown();
      }
    }
  }

  /** What is hidden is fetched from the server all the same, past what a message may hold. */
  @Test
  void manyHiddenDocumentsDoNotMakeASearchPendingOnly() throws Exception {
    QdrantOptions o = QdrantOptions.at("127.0.0.1", server.port());
    QdrantOptions small =
        new QdrantOptions(
            o.host(), o.port(), false, Optional.empty(), Optional.empty(), o.timeout(), 1 << 20, 3);
    try (FakeQdrant _ = server;
        QdrantStore remote = QdrantStore.open(small, Optional.empty());
        ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
      store.remote().attachAlone(remote, Side.merged(), Optional.empty());
      List<NewDocument> near = new ArrayList<>();
      for (int i = 0; i < 1000; i++) {
        near.add(NewDocument.of("near" + i, "x".repeat(1500), new float[] {1, i / 1e4f, 0}));
      }
      store
          .documents()
          .upsert(NOTES, List.of(NewDocument.of("far", "", new float[] {0, 1, 0})), Scope.ALL);
      for (int from = 0; from < 1000; from += 200) {
        store.documents().upsert(NOTES, near.subList(from, from + 200), Scope.ALL);
      }
      store.remote().sync().orElseThrow().sync(false);
      store.remote().sync().orElseThrow().pause();
      for (int from = 0; from < 1000; from += 200) {
        store.documents().upsert(NOTES, near.subList(from, from + 200), Scope.ALL);
      }
      QueryResult found = notes(store).query(Query.nearest(new float[] {1, 0, 0}, 10));
      assertThat(found.isPendingOnly())
          .as(store.remote().sync().orElseThrow().status().toString())
          .isFalse();
    }
  }

  /** A folder that must not be written loses its state file to the trash. */
  @Test
  void aDamagedStateIsLeftWhereNothingMayBeWritten() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
        side.sync().sync(false);
      }
      Path state = root.path().resolve(".contextd/pending/state");
      byte[] bytes = Files.readAllBytes(state);
      bytes[bytes.length - 1] ^= 1;
      Files.write(state, bytes);
      try (LaterManifest _ = LaterManifest.in(root.path());
          Side side = Side.alone(root.path(), port, Side.merged())) {
        assertThat(side.store().store().readOnlyReason()).isPresent();
        assertThat(state).exists();
      }
    }
  }

  /** A file of what was shipped long since, and cannot be read, stops all shipping. */
  @Test
  void aKeptSegmentThatCannotBeReadStopsNothing() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
        side.sync().sync(false);
      }
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.sync().sync(false);
      }
      Path pending = root.path().resolve(".contextd/pending");
      List<Path> kept = segments(pending.resolve("shipped"));
      System.out.println("KEPT " + kept + " " + segments(pending.resolve("journal")));
      Path file = kept.getFirst();
      try (RandomAccessFile grown = new RandomAccessFile(file.toFile(), "rw")) {
        grown.setLength((1L << 30) + 1); // Sparse; stands for one of which a read fails.
      }
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofDays(90))));
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.documents().upsert(NOTES, List.of(document("b")), Scope.ALL);
        org.awaitility.Awaitility.await()
            .atMost(Duration.ofSeconds(10))
            .until(() -> side.sync().status().waitingBytes() == 0);
      }
    }
  }

  /** What was kept before a time with a mirror is taken for the last word behind it. */
  @Test
  void aTimeWithAMirrorEndsWhatKeptWritesSay() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
        side.sync().sync(false);
      }
      try (Side side = Side.open(root.path(), port)) {
        side.documents()
            .upsert(NOTES, List.of(NewDocument.of("a", "newer", new float[] {1, 2, 3})), Scope.ALL);
        side.sync().sync(false);
      }
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.sync().verify(true);
        assertThat(notes(side.store()).get("a").orElseThrow().content()).isEqualTo("newer");
      }
    }
  }

  /** A refusal teaches the wrong dimension, so that writes are acknowledged and lost on and on. */
  @Test
  void aRefusalIsLearntFrom() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged());
        QdrantStore stranger = Side.remote(server.port())) {
      side.sync().sync(false);
      side.sync().pause();
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      stranger.upsert(NOTES, List.of(NewDocument.of("x", "", new float[] {1, 2, 3, 4})), Scope.ALL);
      side.sync().resume();
      side.sync().sync(false);
      assertThat(side.sync().status().refused()).isOne();
      side.sync().sync(false);
      String wrong = "refused";
      try {
        side.documents().upsert(NOTES, List.of(document("b")), Scope.ALL);
        side.sync().sync(false);
        wrong = "acknowledged, lost: " + (side.sync().status().refused() - 1);
      } catch (StoreException e) {
        // As it should be.
      }
      String right = "accepted";
      try {
        side.documents()
            .upsert(NOTES, List.of(NewDocument.of("y", "", new float[] {1, 2, 3, 4})), Scope.ALL);
      } catch (StoreException e) {
        right = e.toString();
      }
      assertThat(List.of(wrong, right)).containsExactly("refused", "accepted");
    }
  }

  /** The note at each start asks for a migration, which brings back what was deleted since. */
  @Test
  void aMigrationBringsNothingBackThatWasDeletedSince() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.open(root.path(), port)) {
        side.documents().upsert(NOTES, List.of(document("a"), document("bye")), Scope.ALL);
        side.sync().sync(false);
      }
      try (Side side = Side.alone(root.path(), port, Side.merged());
          QdrantStore direct = Side.remote(port)) {
        notes(side.store()).delete(List.of("bye"));
        notes(side.store()).upsert(List.of(NewDocument.of("a", "newer", new float[] {1, 2, 3})));
        side.sync().sync(false);
        side.store().remote().migrations().with(() -> direct);
        assertThatThrownBy(
                () -> side.store().remote().migrations().run(Migrations.Direction.TO_REMOTE))
            .hasMessageContaining("would bring back what was changed or deleted since");
        List<String> left = new ArrayList<>();
        try (QdrantStore after = Side.remote(port)) {
          after
              .collection(NOTES, Scope.ALL)
              .orElseThrow()
              .get(List.of("a", "bye"))
              .forEach(one -> left.add(one.id() + "=" + one.content()));
        }
        assertThat(left).containsExactly("a=newer");
      }
    }
  }
}
