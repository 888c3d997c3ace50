package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.FlakyProxy;
import dev.contextd.qdrant.testkit.FlakyProxy.Mode;
import dev.contextd.resilience.HealthListener;
import dev.contextd.resilience.remote.Comparison;
import dev.contextd.resilience.remote.FallbackStore;
import dev.contextd.resilience.remote.ReadFrom;
import dev.contextd.resilience.remote.RemoteStatus;
import dev.contextd.resilience.remote.RemoteStatus.BreakerState;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.StoreRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The remote server goes away and comes back, on a real socket; the store here works on. */
class OutageTest {
  private static final List<String> NAMES = List.of("notes", "diary", "plans");

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final FakeQdrant server = FakeQdrant.open();

  /** Writes, replaces and deletes, documents and whole collections. */
  private static void write(DocumentStore store, Random random, int writes) {
    for (int i = 0; i < writes; i++) {
      String name = NAMES.get(random.nextInt(NAMES.size()));
      int kind = random.nextInt(20);
      if (kind == 0 && store.collection(name, Scope.ALL).isPresent()) {
        store.delete(name, Scope.ALL);
      } else if (kind < 6 && store.collection(name, Scope.ALL).isPresent()) {
        store
            .collection(name, Scope.ALL)
            .orElseThrow()
            .delete(List.of("d" + random.nextInt(40), "d" + random.nextInt(40)));
      } else {
        TreeSet<String> ids = new TreeSet<>();
        for (int n = random.nextInt(1, 6); n > 0; n--) {
          ids.add("d" + random.nextInt(40));
        }
        List<NewDocument> batch = new ArrayList<>();
        for (String id : ids) {
          float[] vector = {random.nextFloat() + 0.1f, random.nextFloat(), random.nextFloat()};
          batch.add(
              NewDocument.of(id, "version " + random.nextInt(), vector)
                  .withMetadata(Map.of("n", Integer.toString(i))));
        }
        store.upsert(name, batch, Scope.ALL);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void whatWasWrittenMeanwhileArrivesOnceAndInOrder(Mode mode) throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("OutageTest " + mode + ": repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    try (FakeQdrant _ = server;
        FlakyProxy proxy = FlakyProxy.before(server.port());
        Side side = Side.open(root.path(), proxy.port())) {
      write(side.documents(), random, 40);
      side.awaitShipped();
      if (mode == Mode.RESET) {
        proxy.resetAfterBytes(2_000);
      } else {
        proxy.mode(mode);
      }
      write(side.documents(), random, 40);
      if (mode == Mode.REFUSE || mode == Mode.HANG || mode == Mode.LOSE_ANSWERS) {
        side.awaitDown();
        await()
            .atMost(Side.PATIENCE)
            .until(() -> side.sync().status().breaker() != BreakerState.CLOSED);
        assertThat(side.sync().status().lastError()).isPresent();
      }
      write(side.documents(), random, 40);
      assertThat(side.store().health().isDegraded()).isFalse();
      proxy.mode(Mode.PASS);
      side.awaitShipped();
      side.assertSame(server.port());
      assertThat(side.sync().verify(false).isSame()).isTrue();
      assertThat(side.sync().status().gap()).isEmpty();
    }
  }

  @Test
  void eachTransitionIsToldToThoseWhoListen() throws Exception {
    List<Object> told = new CopyOnWriteArrayList<>();
    try (FakeQdrant _ = server;
        FlakyProxy proxy = FlakyProxy.before(server.port());
        Side side = Side.open(root.path(), proxy.port())) {
      side.awaitShipped();
      side.store()
          .checker()
          .listen(
              new HealthListener() {
                @Override
                public void onRemote(State state) {
                  told.add(state);
                }

                @Override
                public void onRemoteBreaker(BreakerState state) {
                  told.add(state);
                }
              });
      proxy.mode(Mode.REFUSE);
      await()
          .atMost(Side.PATIENCE)
          .until(() -> told.containsAll(List.of(BreakerState.OPEN, State.DOWN)));
      proxy.mode(Mode.PASS);
      await()
          .atMost(Side.PATIENCE)
          .until(() -> told.containsAll(List.of(BreakerState.CLOSED, State.UP)));
      assertThat(told)
          .containsSubsequence(BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)
          .containsSubsequence(State.DOWN, State.UP);
    }
  }

  /** A stranger's collection of another dimension refuses ours; the others are repaired. */
  @Test
  void whatIsRefusedDoesNotEndAComparison() throws Exception {
    try (FakeQdrant _ = server;
        QdrantStore stranger = Side.remote(server.port())) {
      stranger.upsert("notes", List.of(NewDocument.of("x", "", new float[] {1, 0})), Scope.ALL);
      try (Side side = Side.open(root.path(), server.port())) {
        for (String name : List.of("notes", "plans")) {
          NewDocument document = NewDocument.of("a", "text", new float[] {1, 2, 3});
          side.documents().upsert(name, List.of(document), Scope.ALL);
        }
        side.sync().sync(false);
        assertThat(side.sync().status().refused()).isOne();
        stranger.collection("plans", Scope.ALL).orElseThrow().delete(List.of("a"));
        Comparison found = side.sync().verify(true);
        assertThat(found.missing()).isEqualTo(2);
        assertThat(found.shipped()).isOne();
        assertThat(stranger.collection("plans", Scope.ALL).orElseThrow().count()).isOne();
      }
    }
  }

  @Test
  void aFolderThatMustNotBeWrittenIsServedAndSendsNothing() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      NewDocument document = NewDocument.of("a", "text", new float[] {1, 2, 3});
      try (Side side = Side.open(root.path(), port)) {
        server.stop();
        side.documents().upsert("notes", List.of(document), Scope.ALL);
      }
      server.start();
      try (LaterManifest _ = LaterManifest.in(root.path());
          Side side = Side.open(root.path(), port)) {
        assertThat(Side.contents(side.documents())).containsOnlyKeys("notes/a");
        assertThatThrownBy(() -> side.documents().upsert("notes", List.of(document), Scope.ALL))
            .isInstanceOfSatisfying(
                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
        assertThat(side.store().remote().status().orElseThrow().mode())
            .isEqualTo(RemoteStatus.Mode.STOPPED);
      }
      try (QdrantStore direct = Side.remote(port)) {
        assertThat(direct.collections(Scope.ALL)).isEmpty();
      }
      try (Side side = Side.open(root.path(), port)) {
        side.awaitShipped();
        side.assertSame(port);
      }
    }
  }

  @Test
  void aRestartWhileTheServerIsAwayLosesNothing() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("OutageTest, restart: repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.open(root.path(), port)) {
        write(side.documents(), random, 30);
        side.awaitShipped();
        server.stop();
        write(side.documents(), random, 30);
      }
      try (Side side = Side.open(root.path(), port)) {
        write(side.documents(), random, 30);
        side.awaitDown();
        assertThat(side.sync().status().waitingBytes()).isPositive();
        server.start();
        side.awaitShipped();
        side.assertSame(port);
        assertThat(side.sync().status().gap()).isEmpty();
      }
    }
  }

  /** Its last acknowledged writes are gone; nobody tells us, a comparison finds them. */
  @Test
  void whatTheServerForgotIsFoundAndSentAgain() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      write(side.documents(), new Random(7), 60);
      side.sync().sync(false);
      side.documents().upsert("notes", List.of(document("last")), Scope.ALL);
      side.documents().upsert("notes", List.of(document("bye")), Scope.ALL);
      side.sync().sync(false);
      side.documents().collection("notes", Scope.ALL).orElseThrow().delete(List.of("bye"));
      side.sync().sync(false);
      side.assertSame(server.port());
      server.forgetLast(2);
      var found = side.sync().verify(false);
      assertThat(found.isSame()).isFalse();
      assertThat(found.extra() + found.missing()).isPositive();
      assertThat(side.sync().verify(true).isSame()).isTrue();
      side.assertSame(server.port());
    }
  }

  private static NewDocument document(String id) {
    return NewDocument.of(id, "text of " + id, new float[] {1, 2, 3});
  }

  /** The version of somebody else gives way, and is kept. */
  @Test
  void aPointThatSomebodyElseChangedGivesWayAndIsKept() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port());
        var stranger = Side.remote(server.port())) {
      side.documents().upsert("notes", List.of(document("a"), document("b")), Scope.ALL);
      side.sync().sync(false);
      stranger.upsert(
          "notes",
          List.of(NewDocument.of("a", "another text", new float[] {3, 2, 1}), document("c")),
          Scope.ALL);
      var found = side.sync().verify(false);
      assertThat(found.different()).isOne();
      assertThat(found.extra()).isOne();
      assertThat(found.examples()).anyMatch(line -> line.contains("\"a\""));
      assertThat(side.sync().verify(true).isSame()).isTrue();
      side.assertSame(server.port());
      VectorStore store = side.store().store();
      assertThat(store.trash())
          .extracting(entry -> entry.kind() + " " + entry.documents())
          .containsExactlyInAnyOrder("remote_replaced 1", "remote_deleted 1");
      VectorStore.Conflicts conflicts = store.conflicts();
      assertThat(conflicts.total()).isEqualTo(2);
      assertThat(side.sync().status().conflicts()).isEqualTo(2);
      assertThat(conflicts.latest())
          .extracting(one -> one.kind() + " " + one.collection() + " " + one.id())
          .containsExactlyInAnyOrder("remote_replaced notes a", "remote_deleted notes c");
      for (VectorStore.Conflict conflict : conflicts.latest()) {
        assertThat(Duration.between(conflict.since(), conflict.until()))
            .isEqualTo(KeeperOptions.defaults().retention());
        assertThat(store.restore(conflict.entry())).isOne();
      }
      assertThat(side.sync().sync(false).gap()).isEmpty();
      side.assertSame(server.port());
      VectorCollection there = stranger.collection("notes", Scope.ALL).orElseThrow();
      assertThat(there.get("a").orElseThrow().content()).isEqualTo("another text");
      assertThat(there.get("c")).isPresent();
      assertThat(store.conflicts().total()).as("as long as the trash keeps them").isEqualTo(2);
      store.purge(Duration.ZERO);
      assertThat(store.conflicts().total()).isZero();
    }
  }

  @Test
  void aSecondDaemonIsToldWhoOwnsACollection() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      side.documents().upsert("notes", List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      try (Side other = Side.open(root.beside("other"), server.port())) {
        other.documents().upsert("notes", List.of(document("b")), Scope.ALL);
        assertThatThrownBy(() -> other.sync().sync(false))
            .hasMessageContaining("belongs to")
            .hasMessageContaining(root.path().toString());
        assertThat(other.sync().status().waitingBytes()).isPositive();
        assertThat(other.sync().status().state()).isEqualTo(State.UP);
        await().until(() -> other.sync().status().lastError().orElse("").contains("belongs to"));
        side.assertSame(server.port());
        other.sync().resetBreaker();
        other.sync().sync(true);
        assertThat(other.sync().status().waitingBytes()).isZero();
      }
      StoreRoot.check(root.beside("other"));
    }
  }

  @Test
  void pastItsBoundWritesAreRefusedAndNothingIsDropped() throws Exception {
    try (FakeQdrant _ = server;
        Side side =
            Side.open(root.path(), server.port(), Side.quick().withBounds(1, Duration.ofDays(1)))) {
      server.stop();
      DocumentStore documents = side.documents();
      documents.upsert("notes", List.of(document("a")), Scope.ALL);
      side.store().store().checkpoint();
      assertThatThrownBy(() -> documents.upsert("notes", List.of(document("b")), Scope.ALL))
          .hasMessageContaining("max_waiting_bytes")
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.REMOTE_BACKLOG));
      assertThat(documents.collection("notes", Scope.ALL).orElseThrow().get("a")).isPresent();
      server.start();
      side.awaitShipped();
      documents.upsert("notes", List.of(document("b")), Scope.ALL);
      side.sync().resetBreaker();
      side.sync().sync(false);
      side.assertSame(server.port());
    }
  }

  @Test
  void whatWasThereBeforeIsSentWhenTheServerIsFirstMet() throws Exception {
    try (var store = VectorStore.open(root.path(), dev.contextd.engine.StoreOptions.defaults())) {
      store.upsert("notes", List.of(document("a"), document("b")), Scope.ALL);
    }
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      await().atMost(Side.PATIENCE).until(() -> side.sync().status().gap().isEmpty());
      side.assertSame(server.port());
    }
  }

  @Test
  void whatQdrantCannotHoldIsRefusedHereToo() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      NewDocument named = document("a").withMetadata(Map.of("content", "x"));
      assertThatThrownBy(() -> side.documents().upsert("notes", List.of(named), Scope.ALL))
          .hasMessageContaining("\"content\"");
      assertThatThrownBy(() -> side.documents().create("a/b", Map.of()))
          .hasMessageContaining("no /");
      assertThat(side.documents().collections(Scope.ALL)).isEmpty();
    }
  }

  @Test
  void pausedNothingIsShipped() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      side.sync().sync(false);
      side.sync().pause();
      side.documents().upsert("notes", List.of(document("a")), Scope.ALL);
      side.store().store().checkpoint();
      assertThatThrownBy(() -> side.sync().sync(false)).hasMessageContaining("ctxd remote resume");
      assertThat(server.collections()).isEmpty();
      side.sync().resume();
      side.awaitShipped();
      side.assertSame(server.port());
    }
  }

  /** What a Go program does while the daemon is off stands in no journal; both sides meet again. */
  @Test
  void whatAnotherProgramDidMeanwhileIsComparedAtTheNextStart() throws Exception {
    try (FakeQdrant _ = server) {
      try (Side side = Side.open(root.path(), server.port())) {
        side.documents().upsert("notes", List.of(document("a"), document("b")), Scope.ALL);
        side.documents().upsert("gone", List.of(document("a")), Scope.ALL);
        side.sync().sync(false);
      }
      Path notes = root.path().resolve(Names.hash("notes"));
      Files.delete(notes.resolve(Names.hash("a") + ".gob"));
      Files.write(
          notes.resolve(Names.hash("c") + ".gob"),
          DocumentFormat.encode(
              new StoredDocument("c", null, new float[] {0, 0, 1}, "by another"),
              Compression.PLAIN));
      Path gone = root.path().resolve(Names.hash("gone"));
      for (Path file :
          List.of(gone.resolve(Names.hash("a") + ".gob"), gone.resolve("00000000.gob"), gone)) {
        Files.delete(file);
      }
      try (Side side = Side.open(root.path(), server.port())) {
        await().atMost(Side.PATIENCE).until(() -> side.sync().status().gap().isEmpty());
        try (var remote = Side.remote(server.port())) {
          assertThat(remote.collection("notes", Scope.ALL).flatMap(all -> all.get("c")))
              .isPresent();
        }
        assertThat(side.sync().verify(true).isSame()).isTrue();
        side.assertSame(server.port());
        assertThat(server.collections()).doesNotContain("gone");
        VectorStore.Conflict last =
            side.store().store().conflicts().latest().stream()
                .filter(one -> one.collection().equals("gone"))
                .findFirst()
                .orElseThrow();
        assertThat(last.id()).isEqualTo("a");
        assertThat(last.kind()).isEqualTo("remote_deleted");
        assertThat(side.store().store().restore(last.entry())).isOne();
        side.sync().sync(false);
        side.assertSame(server.port());
        assertThat(server.collections()).contains("gone");
      }
    }
  }

  /** Reads come from the remote store: what waits does not show, and the answer says so. */
  @Test
  void remoteReadsSayHowStaleTheyAre() throws Exception {
    try (FakeQdrant _ = server;
        Side side =
            Side.open(root.path(), server.port(), Side.quick().withReadFrom(ReadFrom.REMOTE))) {
      FallbackStore documents = (FallbackStore) side.documents();
      documents.upsert("notes", List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      assertThat(documents.source().store()).isEqualTo("remote");
      assertThat(documents.source().stale()).isZero();
      side.sync().pause();
      documents.upsert("notes", List.of(document("b")), Scope.ALL);
      side.store().store().checkpoint();
      assertThat(documents.collection("notes", Scope.ALL).orElseThrow().count()).isOne();
      await().until(() -> !documents.source().stale().isZero());
      documents.collection("notes", Scope.ALL).orElseThrow().delete(List.of("a"));
      side.sync().resume();
      side.awaitShipped();
      side.assertSame(server.port());
      server.stop();
      assertThatThrownBy(() -> documents.collection("notes", Scope.ALL))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.REMOTE_UNAVAILABLE));
    }
  }

  /** With nothing to send it must not say that all is well. */
  @Test
  void aSyncAsksWhetherTheServerIsThere() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      side.sync().sync(false);
      server.stop();
      assertThatThrownBy(() -> side.sync().sync(false)).hasMessageContaining("127.0.0.1");
      server.start();
      side.sync().resetBreaker();
      assertThat(side.sync().sync(false).state()).isEqualTo(State.UP);
    }
  }

  /** Somebody else made the collection there, with vectors of another dimension. */
  @Test
  void whatTheServerCanNeverTakeIsCountedAndHoldsUpNothing() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port());
        var stranger = Side.remote(server.port())) {
      stranger.upsert(
          "notes", List.of(NewDocument.of("x", "", new float[] {1, 2, 3, 4})), Scope.ALL);
      side.documents().upsert("notes", List.of(document("a"), document("b")), Scope.ALL);
      side.documents().upsert("diary", List.of(document("c")), Scope.ALL);
      side.sync().sync(false);
      assertThat(side.sync().status().refused()).isEqualTo(2);
      assertThat(stranger.collection("diary", Scope.ALL).orElseThrow().count()).isOne();
      assertThat(side.sync().verify(false).isSame()).isFalse();
    }
  }

  /** Agents go on while both sides are compared: what they write is no difference. */
  @Test
  void aComparisonBesideWritersFindsNothing() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.open(root.path(), server.port())) {
      write(side.documents(), new Random(3), 60);
      AtomicBoolean isOver = new AtomicBoolean();
      Thread writer =
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; !isOver.get(); i++) {
                  side.documents()
                      .upsert(
                          "busy",
                          List.of(document("d" + i % 50).withMetadata(Map.of("i", "" + i))),
                          Scope.ALL);
                  side.documents()
                      .collection("busy", Scope.ALL)
                      .orElseThrow()
                      .delete(List.of("d" + (i + 25) % 50));
                }
              });
      await().until(() -> side.documents().collection("busy", Scope.ALL).isPresent());
      for (int turn = 0; turn < 3; turn++) {
        assertThat(side.sync().verify(false).examples())
            .allMatch(example -> example.contains("\"busy\""));
      }
      isOver.set(true);
      writer.join();
      assertThat(side.sync().verify(false).isSame()).isTrue();
      side.assertSame(server.port());
    }
  }
}
