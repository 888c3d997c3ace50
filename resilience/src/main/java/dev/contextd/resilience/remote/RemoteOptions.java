package dev.contextd.resilience.remote;

import java.time.Duration;

/**
 * How a remote store is kept up to date.
 *
 * @param checkInterval between two questions for its health, about
 * @param maxWaitingBytes past which writes are refused
 * @param maxWaitingAge of the oldest thing that waits, past which writes are refused
 * @param batchDocuments one call carries at most so many
 * @param batchBytes one call carries at most about so many
 * @param syncOnConnect whether what a gap in the outbox has left behind is compared and sent by
 *     itself
 * @param readFrom which store answers reads
 * @param keepShipped how long what was shipped is kept, where the remote store holds the documents
 *     alone
 */
public record RemoteOptions(
    Duration checkInterval,
    long maxWaitingBytes,
    Duration maxWaitingAge,
    int batchDocuments,
    long batchBytes,
    boolean syncOnConnect,
    ReadFrom readFrom,
    Duration keepShipped) {

  /** A check every half minute, a GiB and a week of outage. */
  public static RemoteOptions defaults() {
    return new RemoteOptions(
        Duration.ofSeconds(30),
        1L << 30,
        Duration.ofDays(7),
        500,
        8L << 20,
        true,
        ReadFrom.LOCAL,
        Duration.ofDays(7));
  }

  public RemoteOptions withCheckInterval(Duration interval) {
    return new RemoteOptions(
        interval,
        maxWaitingBytes,
        maxWaitingAge,
        batchDocuments,
        batchBytes,
        syncOnConnect,
        readFrom,
        keepShipped);
  }

  /** Past either of which writes are refused. */
  public RemoteOptions withBounds(long bytes, Duration age) {
    return new RemoteOptions(
        checkInterval,
        bytes,
        age,
        batchDocuments,
        batchBytes,
        syncOnConnect,
        readFrom,
        keepShipped);
  }

  public RemoteOptions withSyncOnConnect(boolean isWanted) {
    return new RemoteOptions(
        checkInterval,
        maxWaitingBytes,
        maxWaitingAge,
        batchDocuments,
        batchBytes,
        isWanted,
        readFrom,
        keepShipped);
  }

  /** Which store answers reads. */
  public RemoteOptions withReadFrom(ReadFrom from) {
    return new RemoteOptions(
        checkInterval,
        maxWaitingBytes,
        maxWaitingAge,
        batchDocuments,
        batchBytes,
        syncOnConnect,
        from,
        keepShipped);
  }

  /** How long what was shipped is kept. */
  public RemoteOptions withKeepShipped(Duration time) {
    return new RemoteOptions(
        checkInterval,
        maxWaitingBytes,
        maxWaitingAge,
        batchDocuments,
        batchBytes,
        syncOnConnect,
        readFrom,
        time);
  }
}
