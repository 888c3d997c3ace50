package dev.contextd.resilience.remote;

import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreException;
import dev.contextd.resilience.remote.Migration.Progress;
import dev.contextd.resilience.remote.Migration.Result;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** Migrations between the store here and a remote one, one at a time. */
public final class Migrations {
  private final DocumentStore local;
  private final Semaphore running = new Semaphore(1);
  private volatile Optional<Source> source = Optional.empty();
  private volatile Optional<String> refusal = Optional.empty();
  private volatile Progress progress = new Progress("", 0, 0);

  /** Connects to the remote store when a migration begins; it is closed when it ends. */
  @FunctionalInterface
  public interface Source {
    /**
     * Prepares the connection.
     *
     * @throws StoreException where that cannot be
     */
    RemoteStore open();
  }

  /** Which way documents go. */
  public enum Direction {
    TO_REMOTE,
    FROM_REMOTE
  }

  /** Between this store and whatever {@link #with} names. */
  public Migrations(DocumentStore local) {
    this.local = local;
  }

  /** Names the remote store. */
  public void with(Source remote) {
    source = Optional.of(remote);
  }

  /** Documents do not go to the remote store from here any more, and why. */
  public void refuseToRemote(String why) {
    refusal = Optional.of(why);
  }

  /** Whether one is under way. */
  public boolean isRunning() {
    return running.availablePermits() == 0;
  }

  /** How far the one under way is, or the last one was. */
  public Progress progress() {
    return progress;
  }

  /**
   * Copies everything, and compares both sides.
   *
   * @throws StoreException where another one is under way, or a store fails; running it again goes
   *     on from there
   */
  public Result run(Direction direction) {
    Source from =
        source.orElseThrow(
            () -> new StoreException(ErrorCode.INVALID_ARGUMENT, "no remote store is configured"));
    if (direction == Direction.TO_REMOTE && refusal.isPresent()) {
      throw new StoreException(ErrorCode.INVALID_ARGUMENT, refusal.get());
    }
    if (!running.tryAcquire()) {
      throw new StoreException(
          ErrorCode.INVALID_ARGUMENT, "another migration is under way; wait for its end");
    }
    try (RemoteStore remote = from.open()) {
      progress = new Progress("copying", 0, 0);
      return switch (direction) {
        case TO_REMOTE -> Migration.run(local, remote, now -> progress = now);
        case FROM_REMOTE -> Migration.run(remote, local, now -> progress = now);
      };
    } finally {
      running.release();
    }
  }
}
