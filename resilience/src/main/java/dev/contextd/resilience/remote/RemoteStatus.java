package dev.contextd.resilience.remote;

import dev.contextd.storage.outbox.Outbox;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How things stand between this store and the remote one.
 *
 * @param mode who calls it, and when
 * @param address of the remote store
 * @param owner who writes there, as its collections are marked; empty where they are not
 * @param isPaused whether an operator has stopped the shipping
 * @param breaker whether calls are made at all
 * @param waitingBytes of what the remote store has not got yet
 * @param waitingWrites how many writes wait in the outbox; empty where nobody knows
 * @param acknowledged the remote store has every write up to this sequence; empty where nobody
 *     knows
 * @param oldest when the oldest of that was written, about
 * @param lastSync when the remote store last had everything that was written
 * @param lastError of the last call that failed; empty since one that did not
 * @param gap what may be missing there and is not waiting, so that only a comparison tells
 * @param shipped documents and deletions it has acknowledged since the start
 * @param refused documents it can never hold, since the start
 * @param conflicts documents that gave way there, since the start
 * @param failures calls that failed since the start
 * @param note what whoever looks at it should know besides
 */
public record RemoteStatus(
    Mode mode,
    String address,
    Optional<String> owner,
    State state,
    boolean isPaused,
    BreakerState breaker,
    long waitingBytes,
    OptionalLong waitingWrites,
    OptionalLong acknowledged,
    Optional<Instant> oldest,
    Optional<Instant> lastSync,
    Optional<String> lastError,
    Optional<String> gap,
    long shipped,
    long refused,
    long conflicts,
    long failures,
    Optional<String> note) {

  /** Who calls the remote store, and when. */
  public enum Mode {
    /** It is brought up to date from the store here. */
    FALLBACK,
    /** It is called for every document; nothing waits here. */
    DIRECT,
    /** As the first one; but nothing runs now that would send. */
    STOPPED
  }

  /** Of a remote store that nothing is sent to now. */
  static RemoteStatus idle(
      Mode mode, String address, State state, Optional<String> lastError, Waiting waiting) {
    return new RemoteStatus(
        mode,
        address,
        waiting.owner(),
        state,
        false,
        BreakerState.CLOSED,
        waiting.bytes(),
        waiting.writes(),
        waiting.acknowledged(),
        waiting.oldest(),
        Optional.empty(),
        lastError,
        waiting.gap(),
        0,
        0,
        0,
        0,
        Optional.empty());
  }

  /** What waits here, and whose it is. */
  record Waiting(
      Optional<String> owner,
      long bytes,
      OptionalLong writes,
      OptionalLong acknowledged,
      Optional<Instant> oldest,
      Optional<String> gap) {
    static final Waiting NOTHING =
        new Waiting(
            Optional.empty(),
            0,
            OptionalLong.empty(),
            OptionalLong.empty(),
            Optional.empty(),
            Optional.empty());

    Waiting withGap(String why) {
      return new Waiting(owner, bytes, writes, acknowledged, oldest, Optional.of(why));
    }

    static Waiting of(Optional<String> owner, Outbox.Status outbox, long journalBytes) {
      boolean isKnown = outbox.shipped() > 0;
      return new Waiting(
          owner,
          outbox.waitingBytes() + journalBytes,
          isKnown
              ? OptionalLong.of(Math.max(0, outbox.visible() - outbox.shipped()))
              : OptionalLong.empty(),
          isKnown ? OptionalLong.of(outbox.shipped()) : OptionalLong.empty(),
          outbox.oldest(),
          outbox.gap());
    }
  }

  /** How old the oldest thing is that waits; zero where nothing does. */
  public Duration age(Instant now) {
    Duration age = oldest.map(since -> Duration.between(since, now)).orElse(Duration.ZERO);
    return age.isNegative() ? Duration.ZERO : age;
  }

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
