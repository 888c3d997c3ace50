package dev.contextd.storage.checkpoint;

import java.time.Duration;

/**
 * The numbers that bound what lies between the journal and its checkpoint, and what becomes of the
 * journal behind it.
 *
 * @param interval how long a write may wait for its gob file, while there is nothing more to do
 * @param checkpointBytes of the journal that start a checkpoint at once
 * @param maxPendingBytes of the journal past which writers wait
 * @param retention how long deleted documents stay in trash and packs
 * @param outbox whether what a checkpoint covers is kept until a remote has it, see {@link
 *     dev.contextd.storage.outbox.Outbox}
 */
public record KeeperOptions(
    Duration interval,
    long checkpointBytes,
    long maxPendingBytes,
    Duration retention,
    boolean outbox) {

  /** Without an outbox. */
  public KeeperOptions(
      Duration interval, long checkpointBytes, long maxPendingBytes, Duration retention) {
    this(interval, checkpointBytes, maxPendingBytes, retention, false);
  }

  public static KeeperOptions defaults() {
    return new KeeperOptions(Duration.ofSeconds(1), 32L << 20, 192L << 20, Duration.ofDays(30));
  }

  /** How long a write may wait for its file. */
  public KeeperOptions withInterval(Duration newInterval) {
    return new KeeperOptions(newInterval, checkpointBytes, maxPendingBytes, retention, outbox);
  }

  public KeeperOptions withRetention(Duration newRetention) {
    return new KeeperOptions(interval, checkpointBytes, maxPendingBytes, newRetention, outbox);
  }

  public KeeperOptions withOutbox(boolean newOutbox) {
    return new KeeperOptions(interval, checkpointBytes, maxPendingBytes, retention, newOutbox);
  }
}
