package dev.contextd.resilience;

/**
 * How far a scrub by the clock is.
 *
 * @param isRunning whether one is
 * @param doneBytes read so far, by this one or the last
 * @param totalBytes to read, about; 0 where none ran since the start
 */
public record ScrubProgress(boolean isRunning, long doneBytes, long totalBytes) {}
