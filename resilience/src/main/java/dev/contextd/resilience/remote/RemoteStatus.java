package dev.contextd.resilience.remote;

import java.time.Instant;
import java.util.Optional;

/**
 * How things stand between this store and the remote one.
 *
 * @param address of the remote store
 * @param isPaused whether an operator has stopped the shipping
 * @param breaker whether calls are made at all
 * @param waitingBytes of what the remote store has not got yet
 * @param oldest when the oldest of that was written, about
 * @param lastSync when the remote store last had everything that was written
 * @param lastError of the last call that failed; empty since one that did not
 * @param gap what may be missing there and is not waiting, so that only a comparison tells
 * @param shipped documents and deletions it has acknowledged since the start
 * @param refused documents it can never hold, since the start
 * @param conflicts documents that gave way there, since the start
 * @param failures calls that failed since the start
 */
public record RemoteStatus(
    String address,
    State state,
    boolean isPaused,
    BreakerState breaker,
    long waitingBytes,
    Optional<Instant> oldest,
    Optional<Instant> lastSync,
    Optional<String> lastError,
    Optional<String> gap,
    long shipped,
    long refused,
    long conflicts,
    long failures) {

  /** Whether the remote store answers. */
  public enum State {
    /** Nothing has been asked of it yet. */
    UNKNOWN,
    UP,
    DOWN
  }

  /** Whether calls are made: all, none, or one to see. */
  public enum BreakerState {
    CLOSED,
    OPEN,
    HALF_OPEN
  }
}
