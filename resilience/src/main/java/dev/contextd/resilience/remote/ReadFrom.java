package dev.contextd.resilience.remote;

/** Which store answers reads. */
public enum ReadFrom {
  /** The one here, which holds everything and every write at once. */
  LOCAL,
  /** The remote one: what still waits does not show, and while it is away nothing is answered. */
  REMOTE,
  /**
   * The remote one with everything that waits laid over it. As long as everything lies here too,
   * that is what the one here holds, and it answers.
   */
  MERGED
}
