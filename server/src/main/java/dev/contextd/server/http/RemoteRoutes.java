package dev.contextd.server.http;

import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.Comparison;
import dev.contextd.resilience.remote.RemoteStatus;
import dev.contextd.resilience.remote.RemoteSync;
import io.javalin.http.Context;
import java.time.Instant;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What operators ask of the remote store; reached through {@link AdminRoutes}. */
final class RemoteRoutes {
  private final ResilientStore store;
  private final Bodies bodies;

  RemoteRoutes(ResilientStore store, Bodies bodies) {
    this.store = store;
    this.bodies = bodies;
  }

  /** The remote store's part of a health report; null where there is none. */
  static Messages.@Nullable RemoteHealth health(ResilientStore store) {
    return store.remote().sync().map(RemoteRoutes::health).orElse(null);
  }

  private static Messages.RemoteHealth health(RemoteSync remote) {
    RemoteStatus status = remote.status();
    return new Messages.RemoteHealth(
        word(status.state()),
        word(status.breaker()),
        status.waitingBytes(),
        remote.age(status).toSeconds(),
        status.lastSync().map(Instant::toString).orElse(null),
        status.note().orElse(null));
  }

  void status(Context call) {
    answer(
        call,
        store
            .remote()
            .status()
            .orElseThrow(() ->
                new ProblemException(
                    ProblemCode.NO_REMOTE_STORE,
                    "the settings name no remote store: vectorstore.provider must be qdrant")));
  }

  void sync(Context call) {
    bodies.read(
        call,
        Messages.RemoteSyncIn.class,
        body -> {
          RemoteSync remote = remote();
          remote.sync(Boolean.TRUE.equals(body.takeOver()));
          answer(call, remote);
        });
  }

  void verify(Context call) {
    bodies.read(
        call,
        Messages.RemoteVerify.class,
        body -> call.json(out(remote().verify(Boolean.TRUE.equals(body.repair())))));
  }

  /** What lies in the trash is told whether or not there is a remote store now. */
  void conflicts(Context call) {
    VectorStore.Conflicts found = store.store().conflicts();
    call.json(
        new Messages.ConflictsOut(
            found.total(), found.latest().stream().map(RemoteRoutes::out).toList()));
  }

  private static Messages.ConflictOut out(VectorStore.Conflict conflict) {
    return new Messages.ConflictOut(
        conflict.collection(),
        conflict.id(),
        conflict.kind(),
        conflict.since().toString(),
        conflict.until().toString(),
        conflict.entry(),
        "ctxd trash restore " + conflict.entry());
  }

  void pause(Context call) {
    RemoteSync remote = remote();
    remote.pause();
    answer(call, remote);
  }

  void resume(Context call) {
    RemoteSync remote = remote();
    remote.resume();
    answer(call, remote);
  }

  void resetBreaker(Context call) {
    RemoteSync remote = remote();
    remote.resetBreaker();
    answer(call, remote);
  }

  private RemoteSync remote() {
    return store
        .remote()
        .sync()
        .orElseThrow(() ->
            new ProblemException(
                ProblemCode.NO_REMOTE_STORE,
                "the settings name no remote store that is brought up to date from here:"
                    + " vectorstore.provider must be qdrant and vectorstore.fallback.enabled true"));
  }

  private static void answer(Context call, RemoteSync remote) {
    answer(call, remote.status());
  }

  private static void answer(Context call, RemoteStatus status) {
    call.json(
        new Messages.RemoteOut(
            word(status.mode()),
            status.address(),
            status.owner().orElse(null),
            word(status.state()),
            status.isPaused(),
            word(status.breaker()),
            status.waitingBytes(),
            orNull(status.waitingWrites()),
            orNull(status.acknowledged()),
            status.oldest().map(Instant::toString).orElse(null),
            status.age(Instant.now()).toSeconds(),
            status.lastSync().map(Instant::toString).orElse(null),
            status.lastError().orElse(null),
            status.gap().orElse(null),
            status.shipped(),
            status.refused(),
            status.conflicts(),
            status.failures(),
            status.note().orElse(null)));
  }

  private static @Nullable Long orNull(OptionalLong value) {
    return value.isPresent() ? value.getAsLong() : null;
  }

  private static Messages.ComparisonOut out(Comparison found) {
    return new Messages.ComparisonOut(
        found.isSame(),
        found.compared(),
        found.missing(),
        found.different(),
        found.extra(),
        found.otherMetadata(),
        found.shipped(),
        found.removed(),
        found.described(),
        found.since().map(Instant::toString).orElse(null),
        found.examples());
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
