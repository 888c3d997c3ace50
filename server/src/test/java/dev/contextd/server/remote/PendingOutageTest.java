package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.FlakyProxy;
import dev.contextd.qdrant.testkit.FlakyProxy.Mode;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.Comparison;
import dev.contextd.resilience.remote.PendingStore;
import dev.contextd.resilience.remote.ReadFrom;
import dev.contextd.resilience.remote.RemoteLink;
import dev.contextd.resilience.remote.RemoteOptions;
import dev.contextd.resilience.remote.RemoteStatus.BreakerState;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.testkit.StoreRoot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The remote server holds the documents alone, and goes away and comes back, on a real socket: what
 * was acknowledged reaches it, and what is read says what it rests on.
 */
class PendingOutageTest {
  private static final List<String> NAMES = List.of("notes", "diary", "plans");
  private static final String NOTES = "notes";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final FakeQdrant server = FakeQdrant.open();

  private static NewDocument document(String id) {
    return NewDocument.of(id, "text of " + id, new float[] {1, 2, 3});
  }

  private static void assertRefused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.code()).as(e.getMessage()).isEqualTo(code));
  }

  private static VectorCollection notes(Side side) {
    return side.documents().collection(NOTES, Scope.ALL).orElseThrow();
  }

  /** What must be there, and what is done to make it so, with the server or without. */
  private static final class Writer {
    private final Random random;
    private final Map<String, Map<String, String>> expected = new TreeMap<>();
    private int version;

    Writer(long seed) {
      this.random = new Random(seed);
    }

    void create(DocumentStore store) {
      for (String name : NAMES) {
        store.upsert(name, List.of(document("first")), Scope.ALL);
        expected.computeIfAbsent(name, _ -> new TreeMap<>()).put("first", "text of first");
      }
    }

    void write(DocumentStore store, int writes) {
      for (int i = 0; i < writes; i++) {
        String name = NAMES.get(random.nextInt(NAMES.size()));
        int kind = random.nextInt(20);
        if (kind == 0 && expected.containsKey(name)) {
          store.delete(name, Scope.ALL);
          expected.remove(name);
        } else if (kind < 6 && expected.containsKey(name)) {
          List<String> ids = List.of("d" + random.nextInt(40), "d" + random.nextInt(40));
          store.getOrCreate(name, Scope.ALL).delete(ids);
          expected.get(name).keySet().removeAll(ids);
        } else {
          put(store, name);
        }
      }
    }

    private void put(DocumentStore store, String name) {
      TreeSet<String> ids = new TreeSet<>();
      for (int n = random.nextInt(1, 6); n > 0; n--) {
        ids.add("d" + random.nextInt(40));
      }
      List<NewDocument> batch = new ArrayList<>();
      for (String id : ids) {
        String content = "version " + version++;
        float[] vector = {random.nextFloat() + 0.1f, random.nextFloat(), random.nextFloat()};
        batch.add(NewDocument.of(id, content, vector));
        expected.computeIfAbsent(name, _ -> new TreeMap<>()).put(id, content);
      }
      store.upsert(name, batch, Scope.ALL);
    }

    void assertThere(Side side, int port) throws Exception {
      side.assertAllThere(port);
      Map<String, Map<String, String>> found = new TreeMap<>();
      try (QdrantStore direct = Side.remote(port)) {
        direct
            .collections(Scope.ALL)
            .forEach(info -> {
              Map<String, String> documents = new TreeMap<>();
              direct
                  .collection(info.name(), Scope.ALL)
                  .orElseThrow()
                  .page(Optional.empty(), 1000)
                  .documents()
                  .forEach(one -> documents.put(one.id(), one.content()));
              found.put(info.name(), documents);
            });
      }
      assertThat(found).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void whatWasWrittenMeanwhileArrivesOnceAndInOrder(Mode mode) throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("PendingOutageTest " + mode + ": repeat with -Dseed=" + seed);
    Writer writer = new Writer(seed);
    try (FakeQdrant _ = server;
        FlakyProxy proxy = FlakyProxy.before(server.port());
        Side side = Side.alone(root.path(), proxy.port(), Side.merged())) {
      writer.create(side.documents());
      writer.write(side.documents(), 40);
      side.awaitShipped();
      if (mode == Mode.RESET) {
        proxy.resetAfterBytes(2_000);
      } else {
        proxy.mode(mode);
      }
      writer.write(side.documents(), 40);
      if (mode == Mode.REFUSE || mode == Mode.HANG || mode == Mode.LOSE_ANSWERS) {
        side.awaitDown();
      }
      writer.write(side.documents(), 40);
      proxy.mode(Mode.PASS);
      side.awaitShipped();
      writer.assertThere(side, server.port());
      assertThat(side.sync().verify(false).isSame()).isTrue();
      assertThat(side.sync().status().gap()).isEmpty();
      assertThat(side.sync().status().refused()).isZero();
    }
  }

  @Test
  void aRestartWhileTheServerIsAwayLosesNothing() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("PendingOutageTest, restart: repeat with -Dseed=" + seed);
    Writer writer = new Writer(seed);
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        writer.create(side.documents());
        writer.write(side.documents(), 30);
        side.awaitShipped();
        server.stop();
        writer.write(side.documents(), 30);
      }
      for (int restart = 0; restart < 2; restart++) {
        try (Side side = Side.alone(root.path(), port, Side.merged())) {
          assertThat(side.sync().status().waitingBytes()).isPositive();
          assertThat(side.sync().status().oldest()).isPresent();
          writer.write(side.documents(), 30);
          side.awaitDown();
        }
      }
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        server.start();
        side.awaitShipped();
        writer.assertThere(side, port);
        assertThat(side.sync().status().gap()).isEmpty();
      }
    }
  }

  @Test
  void aFolderThatMustNotBeWrittenShowsWhatWaitsAndSendsNothing() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.documents().upsert(NOTES, List.of(document("a"), document("b")), Scope.ALL);
        side.awaitShipped();
        server.stop();
        side.documents().upsert(NOTES, List.of(document("c")), Scope.ALL);
        notes(side).delete(List.of("a"));
      }
      server.start();
      try (LaterManifest _ = LaterManifest.in(root.path());
          Side side = Side.alone(root.path(), port, Side.merged())) {
        assertThat(Side.contents(side.documents())).containsOnlyKeys(NOTES + "/b", NOTES + "/c");
        VectorCollection notes = notes(side);
        assertRefused(ErrorCode.READ_ONLY, () -> notes.upsert(List.of(document("d"))));
        assertRefused(ErrorCode.READ_ONLY, () -> notes.delete(List.of("b")));
        assertRefused(ErrorCode.READ_ONLY, () -> side.documents().create("new", Map.of()));
        assertRefused(ErrorCode.READ_ONLY, () -> side.documents().delete(NOTES, Scope.ALL));
        assertThat(side.store().remote().status().orElseThrow().waitingBytes()).isPositive();
      }
      try (QdrantStore direct = Side.remote(port)) {
        assertThat(Side.contents(direct)).containsOnlyKeys(NOTES + "/a", NOTES + "/b");
      }
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.awaitShipped();
        side.assertAllThere(port);
        assertThat(Side.contents(side.documents())).containsOnlyKeys(NOTES + "/b", NOTES + "/c");
      }
    }
  }

  /** The pending part answers, and says that it is alone; what it cannot know it does not say. */
  @Test
  void whileTheServerIsAwayOnlyWhatWaitsIsSearchedAndTheAnswerSaysSo() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      side.documents().upsert(NOTES, List.of(document("a"), document("b")), Scope.ALL);
      side.sync().sync(false);
      QueryResult whole = notes(side).query(Query.nearest(new float[] {1, 2, 3}, 9));
      assertThat(whole.isPendingOnly()).isFalse();
      assertThat(((PendingStore) side.documents()).source().store()).isEqualTo("merged");
      server.stop();
      side.awaitDown();
      side.documents().upsert(NOTES, List.of(document("c")), Scope.ALL);
      assertThat(notes(side).delete(List.of("a"))).isOne();
      QueryResult found = notes(side).query(Query.nearest(new float[] {1, 2, 3}, 9));
      assertThat(found.hits()).extracting(hit -> hit.document().id()).containsExactly("c");
      assertThat(found.isPendingOnly()).isTrue();
      assertThat(found.coverage().searched()).isOne();
      assertThat(found.coverage().unavailable()).isEmpty();
      assertThat(notes(side).get("c")).isPresent();
      assertThat(notes(side).get("a")).isEmpty();
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> notes(side).get("b"));
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> notes(side).count());
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> notes(side).page(Optional.empty(), 5));
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> side.documents().collections(Scope.ALL));
      Scope tenant = new Scope(Map.of("tenant_id", "t"), java.util.Set.of("tenant_id"));
      assertRefused(
          ErrorCode.REMOTE_UNAVAILABLE,
          () -> side.documents().upsert(NOTES, List.of(document("b")), tenant));
      side.documents().create("new", Map.of());
      side.documents().upsert("new", List.of(document("x")), Scope.ALL);
      QueryResult all =
          side.documents()
              .collection("new", Scope.ALL)
              .orElseThrow()
              .query(Query.nearest(new float[] {1, 2, 3}, 9));
      assertThat(all.isPendingOnly()).as("everything of it is here").isFalse();
      assertThat(all.coverage().unavailable()).hasValue(0);
      server.start();
      side.awaitShipped();
      side.assertAllThere(server.port());
      assertThat(notes(side).get(List.of("a", "b", "c")))
          .extracting(one -> one.id())
          .containsExactly("b", "c");
    }
  }

  /** Nobody can tell what is on a server that was never met: nothing is promised for it. */
  @Test
  void aServerThatWasNeverMetTakesNoWrites() throws Exception {
    int port = server.port();
    server.stop();
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), port, Side.merged())) {
      assertThatThrownBy(() -> side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL))
          .hasMessageContaining("does not answer")
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.REMOTE_UNAVAILABLE));
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> side.documents().create(NOTES, Map.of()));
      assertRefused(
          ErrorCode.REMOTE_UNAVAILABLE, () -> side.documents().collection(NOTES, Scope.ALL));
      assertThat(side.sync().status().waitingBytes()).isZero();
      server.start();
      side.sync().resetBreaker();
      await().atMost(Side.PATIENCE).until(() -> side.sync().status().state() == State.UP);
      // A call that began while the server was away may open the breaker once more.
      await()
          .atMost(Side.PATIENCE)
          .until(() -> side.sync().status().breaker() == BreakerState.CLOSED);
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      side.awaitShipped();
      side.assertAllThere(port);
    }
  }

  @Test
  void pastItsBoundWritesAreRefusedAndNothingIsDropped() throws Exception {
    RemoteOptions tight = Side.merged().withBounds(1, Duration.ofDays(1));
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), tight)) {
      side.documents().create(NOTES, Map.of());
      side.sync().sync(false);
      server.stop();
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      assertRefused(
          ErrorCode.REMOTE_BACKLOG,
          () -> side.documents().upsert(NOTES, List.of(document("b")), Scope.ALL));
      assertRefused(ErrorCode.REMOTE_BACKLOG, () -> notes(side).delete(List.of("a")));
      assertThat(notes(side).get("a")).isPresent();
      server.start();
      side.sync().resetBreaker();
      side.awaitShipped();
      side.documents().upsert(NOTES, List.of(document("b")), Scope.ALL);
      side.awaitShipped();
      side.assertAllThere(server.port());
      assertThat(notes(side).count()).isEqualTo(2);
    }
  }

  /** What was shipped is kept for its time, and compared; what gives way there is kept too. */
  @Test
  void whatTheServerForgotIsFoundAndSentAgain() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      side.documents().create(NOTES, Map.of("kind", "x"));
      side.documents()
          .upsert(NOTES, List.of(document("a"), document("b"), document("bye")), Scope.ALL);
      side.sync().sync(false);
      side.documents().upsert(NOTES, List.of(document("last")), Scope.ALL);
      side.sync().sync(false);
      notes(side).delete(List.of("bye"));
      side.sync().sync(false);
      Map<String, String> before = Side.contents(side.documents());
      Comparison none = side.sync().verify(false);
      assertThat(none.isSame()).isTrue();
      assertThat(none.compared()).isEqualTo(3);
      assertThat(none.since().orElseThrow()).isBefore(Instant.now());
      server.forgetLast(2);
      Comparison found = side.sync().verify(false);
      assertThat(found.isSame()).isFalse();
      assertThat(found.missing()).isOne();
      assertThat(found.extra()).isOne();
      try (QdrantStore stranger = Side.remote(server.port())) {
        stranger.upsert(
            NOTES, List.of(NewDocument.of("a", "another", new float[] {3, 2, 1})), Scope.ALL);
      }
      assertThat(side.sync().verify(false).different()).isOne();
      assertThat(side.sync().verify(true).isSame()).isTrue();
      assertThat(Side.contents(side.documents())).isEqualTo(before);
      side.assertAllThere(server.port());
      assertThat(side.store().store().trash().stream().mapToInt(entry -> entry.documents()).sum())
          .isEqualTo(2);
      try (QdrantStore stranger = Side.remote(server.port())) {
        stranger.delete(NOTES, Scope.ALL);
      }
      assertThat(side.sync().verify(false).missing()).isEqualTo(3);
      assertThat(side.sync().verify(true).isSame()).isTrue();
      assertThat(Side.contents(side.documents())).isEqualTo(before);
      assertThat(notes(side).info().metadata()).isEqualTo(Map.of("kind", "x"));
    }
  }

  /** Documents deleted with their collection, and made anew, are not missed. */
  @Test
  void whatWasDeletedWithItsCollectionIsNotMissed() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      side.documents().upsert(NOTES, List.of(document("a"), document("b")), Scope.ALL);
      side.documents().delete(NOTES, Scope.ALL);
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      side.documents().upsert("gone", List.of(document("c")), Scope.ALL);
      side.documents().delete("gone", Scope.ALL);
      Comparison found = side.sync().verify(false);
      assertThat(found.isSame()).isTrue();
      assertThat(found.compared()).isOne();
    }
  }

  @Test
  void aCollectionOfAnotherDaemonTakesNoWrites() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      try (Side other = Side.alone(root.beside("other"), server.port(), Side.merged())) {
        assertThatThrownBy(() -> other.documents().upsert(NOTES, List.of(document("b")), Scope.ALL))
            .hasMessageContaining("belongs to")
            .hasMessageContaining(root.path().toString());
        assertThat(notes(other).count()).isOne();
        other.sync().sync(true);
        other.documents().upsert(NOTES, List.of(document("b")), Scope.ALL);
        other.sync().sync(false);
        other.assertAllThere(server.port());
      }
      StoreRoot.check(root.beside("other"));
    }
  }

  /** Somebody else made the collection there meanwhile, with vectors of another dimension. */
  @Test
  void whatTheServerTakesNoMoreIsCountedAndHoldsUpNothing() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged());
        QdrantStore stranger = Side.remote(server.port())) {
      side.sync().sync(false);
      side.sync().pause();
      side.documents().upsert(NOTES, List.of(document("a"), document("b")), Scope.ALL);
      stranger.upsert(NOTES, List.of(NewDocument.of("x", "", new float[] {1, 2, 3, 4})), Scope.ALL);
      side.documents().upsert("diary", List.of(document("c")), Scope.ALL);
      side.sync().resume();
      side.sync().sync(false);
      assertThat(side.sync().status().refused()).isEqualTo(2);
      assertThat(stranger.collection("diary", Scope.ALL).orElseThrow().count()).isOne();
    }
  }

  /** Emptied, it begins again with another dimension, on either side. */
  @Test
  void anEmptiedCollectionTakesAnotherDimension() throws Exception {
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      NewDocument wide = NewDocument.of("a", "", new float[] {1, 2, 3, 4});
      assertRefused(
          ErrorCode.DIMENSION_MISMATCH,
          () -> side.documents().upsert(NOTES, List.of(wide), Scope.ALL));
      side.sync().pause();
      notes(side).delete(List.of("a"));
      side.documents().upsert(NOTES, List.of(wide), Scope.ALL);
      assertThat(notes(side).info().dimension()).hasValue(4);
      side.sync().resume();
      side.sync().sync(false);
      side.assertAllThere(server.port());
      assertThat(side.sync().status().refused()).isZero();
      assertThat(notes(side).info().dimension()).hasValue(4);
    }
  }

  @Test
  void textBelongsToTheModelOfItsCollectionWaitingOrShipped() throws Exception {
    try (FakeQdrant _ = server;
        QdrantStore remote = Side.remote(server.port())) {
      NewDocument text = NewDocument.ofText("a", "some text");
      try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
        store.remote().attachAlone(remote, Side.merged(), Optional.of(new OneVector("one")));
        store.documents().upsert(NOTES, List.of(text), Scope.ALL);
        store.remote().sync().orElseThrow().sync(false);
      }
      try (QdrantStore direct = Side.remote(server.port())) {
        assertThat(
                direct
                    .collection(NOTES, Scope.ALL)
                    .orElseThrow()
                    .info()
                    .model()
                    .orElseThrow()
                    .name())
            .isEqualTo("one");
      }
      try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
        store.remote().attachAlone(remote, Side.merged(), Optional.of(new OneVector("two")));
        assertRefused(
            ErrorCode.MODEL_MISMATCH,
            () -> store.documents().upsert(NOTES, List.of(text), Scope.ALL));
        assertRefused(
            ErrorCode.MODEL_MISMATCH,
            () ->
                store
                    .documents()
                    .collection(NOTES, Scope.ALL)
                    .orElseThrow()
                    .query(Query.nearest("a text", 3)));
        assertThat(store.documents().collection(NOTES, Scope.ALL).orElseThrow().count()).isOne();
      }
    }
  }

  /** Reads come from the remote store alone: what waits does not show, and the answer says so. */
  @Test
  void remoteReadsSayHowStaleTheyAre() throws Exception {
    try (FakeQdrant _ = server;
        Side side =
            Side.alone(root.path(), server.port(), Side.quick().withReadFrom(ReadFrom.REMOTE))) {
      PendingStore documents = (PendingStore) side.documents();
      documents.upsert(NOTES, List.of(document("a")), Scope.ALL);
      side.sync().sync(false);
      side.sync().pause();
      documents.upsert(NOTES, List.of(document("b")), Scope.ALL);
      assertThat(notes(side).count()).isOne();
      assertThat(documents.source().store()).isEqualTo("remote");
      await().until(() -> !documents.source().stale().isZero());
      server.stop();
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> documents.collection(NOTES, Scope.ALL));
      server.start();
      side.sync().resetBreaker();
      side.sync().resume();
      side.awaitShipped();
      side.assertAllThere(server.port());
    }
  }

  /** What lay here before is not deleted, and not served; and somebody is told. */
  @Test
  void documentsThatLieHereAreLeftAloneAndNamed() throws Exception {
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      store.upsert(NOTES, List.of(document("a"), document("b")), Scope.ALL);
    }
    try (FakeQdrant _ = server;
        Side side = Side.alone(root.path(), server.port(), Side.merged())) {
      assertThat(side.sync().status().note().orElseThrow())
          .contains("2 documents", "are not served");
      assertThat(side.documents().collections(Scope.ALL)).isEmpty();
      side.sync().sync(false);
      assertThat(server.collections()).isEmpty();
      assertThat(side.store().store().collections(Scope.ALL)).hasSize(1);
    }
  }

  /** Writes that wait in one way are not left behind by a start in the other. */
  @Test
  void whatWaitsInTheOtherWayIsNotStranded() throws Exception {
    try (FakeQdrant _ = server) {
      int port = server.port();
      StoreOptions options = StoreOptions.defaults();
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.sync().sync(false);
        side.sync().pause();
        side.documents().upsert(NOTES, List.of(document("a")), Scope.ALL);
      }
      assertThat(RemoteLink.strandedWrites(root.path(), options, true)).isEmpty();
      assertThat(RemoteLink.strandedWrites(root.path(), options, false).orElseThrow())
          .contains("mirror: false")
          .contains("ctxd remote sync");
      try (Side side = Side.alone(root.path(), port, Side.merged())) {
        side.sync().sync(false);
      }
      assertThat(RemoteLink.strandedWrites(root.path(), options, false)).isEmpty();
      server.stop();
      try (Side side = Side.open(root.path(), port)) {
        side.documents().upsert("mirrored", List.of(document("a")), Scope.ALL);
      }
      assertThat(RemoteLink.strandedWrites(root.path(), options, true).orElseThrow())
          .contains("mirror: true")
          .contains("ctxd remote sync");
      server.start();
      try (Side side = Side.open(root.path(), port)) {
        side.sync().sync(false);
      }
      assertThat(RemoteLink.strandedWrites(root.path(), options, true)).isEmpty();
    }
  }
}
