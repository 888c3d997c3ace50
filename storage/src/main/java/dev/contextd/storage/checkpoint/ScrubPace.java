package dev.contextd.storage.checkpoint;

/** Slows a scrub down, hears how far it is, and may end it. */
@FunctionalInterface
public interface ScrubPace {
  /** As fast as the disk reads, to the end. */
  ScrubPace UNBOUNDED = (bytes, done, total) -> true;

  /**
   * Returns when the scrub may read on.
   *
   * @param bytes read since the last call
   * @param done bytes read in all, by this scrub and the one that it goes on with
   * @param total bytes to read, about
   * @return false where it is to end here; the next one goes on from here
   */
  boolean goOn(long bytes, long done, long total);
}
