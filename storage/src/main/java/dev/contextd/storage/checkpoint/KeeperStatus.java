package dev.contextd.storage.checkpoint;

import dev.contextd.storage.journal.Journal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How things stand between the journal and the disk.
 *
 * @param pendingBytes of the journal that no checkpoint covers yet
 * @param maxPendingBytes past which writers wait
 * @param lag how old the oldest write is that no checkpoint covers yet; zero where there is none
 * @param lastCheckpoint when the last one succeeded; empty where none has
 * @param failure why the last one failed; empty where it did not
 */
public record KeeperStatus(
    long pendingBytes,
    long maxPendingBytes,
    Duration lag,
    Optional<Instant> lastCheckpoint,
    Optional<String> failure,
    Journal.Metrics journal) {}
