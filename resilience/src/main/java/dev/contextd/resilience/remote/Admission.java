package dev.contextd.resilience.remote;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreException;
import dev.contextd.storage.outbox.Outbox;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Which writes are taken for a remote store: what it can hold, while not too much waits for it. */
final class Admission {
  private final Backlog backlog;
  private final RemoteStore remote;
  private final RemoteOptions options;
  private final Clock clock;

  Admission(Backlog backlog, RemoteStore remote, RemoteOptions options, Clock clock) {
    this.backlog = backlog;
    this.remote = remote;
    this.options = options;
    this.clock = clock;
  }

  /**
   * Refuses a write where too much waits.
   *
   * @throws StoreException {@link ErrorCode#REMOTE_BACKLOG}
   */
  void requireRoom() {
    Outbox.Status waiting = backlog.status();
    if (waiting.waitingBytes() > options.maxWaitingBytes()) {
      throw new StoreException(
          ErrorCode.REMOTE_BACKLOG,
          "%d bytes wait for the remote store %s, at most %d may (vectorstore.remote.max_waiting_bytes)"
              .formatted(waiting.waitingBytes(), remote.address(), options.maxWaitingBytes()));
    }
    Optional<Instant> oldest = waiting.oldest();
    if (oldest.isPresent()
        && oldest.get().plus(options.maxWaitingAge()).isBefore(clock.instant())) {
      throw new StoreException(
          ErrorCode.REMOTE_BACKLOG,
          "since %s nothing has reached the remote store %s, it may be away for %s (vectorstore.remote.max_waiting_age)"
              .formatted(oldest.get(), remote.address(), options.maxWaitingAge()));
    }
  }

  /**
   * Refuses a write that the remote store could never hold, or for which too much waits.
   *
   * @throws StoreException {@link ErrorCode#INVALID_ARGUMENT}, {@link ErrorCode#REMOTE_BACKLOG}
   */
  void requireShippable(String collection, List<NewDocument> documents) {
    requireRoom();
    remote
        .refusal(collection, documents)
        .ifPresent(why -> {
          throw new StoreException(ErrorCode.INVALID_ARGUMENT, why);
        });
  }
}
