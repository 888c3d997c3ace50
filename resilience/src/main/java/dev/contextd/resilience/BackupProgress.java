package dev.contextd.resilience;

/**
 * How far the backup, verification or restore in hand is, or the last one was.
 *
 * @param isRunning whether one is
 * @param done documents so far
 * @param total documents it has to do with; 0 where none ran since the start
 */
public record BackupProgress(boolean isRunning, long done, long total) {}
