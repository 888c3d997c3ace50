package dev.contextd.resilience.remote;

import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.remote.RemoteStatus.Mode;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.resilience.remote.RemoteStatus.Waiting;
import dev.contextd.storage.outbox.Outbox;
import java.util.Optional;

/** What can be told of a remote store that nothing here brings up to date. */
public final class UnattendedRemote {
  private UnattendedRemote() {}

  /** Of one that is called for every document: it is asked whether it answers. */
  public static RemoteStatus direct(RemoteStore remote) {
    State state = State.UP;
    Optional<String> error = Optional.empty();
    try {
      remote.ping();
    } catch (StoreException e) {
      state = State.DOWN;
      error = Optional.of(String.valueOf(e.getMessage()));
    }
    return RemoteStatus.idle(Mode.DIRECT, remote.address(), state, error, Waiting.NOTHING);
  }

  /** As the other one, of a remote store that holds the documents alone. */
  public static RemoteStatus stopped(
      String address, Optional<String> owner, Outbox.Status waiting) {
    return RemoteStatus.idle(
        Mode.STOPPED, address, State.UNKNOWN, Optional.empty(), Waiting.of(owner, waiting, 0));
  }

  /**
   * Of one that nothing runs to send to: what the store's folder says. Nobody is asked, and nothing
   * changed.
   *
   * @param store opened only to be looked at
   * @param owner who writes there; empty where nobody has yet
   */
  public static RemoteStatus stopped(String address, VectorStore store, Optional<String> owner) {
    Outbox.Look look = store.lookAtOutbox();
    Waiting found = Waiting.of(owner, look.status(), store.durability().pendingBytes());
    boolean isUnsent = look.isNew() && !store.collections(Scope.ALL).isEmpty();
    return RemoteStatus.idle(
        Mode.STOPPED,
        address,
        State.UNKNOWN,
        Optional.empty(),
        isUnsent && found.gap().isEmpty() ? found.withGap(Outbox.NEVER_SENT) : found);
  }
}
