package dev.contextd.resilience.remote;

import dev.contextd.engine.DocumentStore;
import java.time.Duration;

/** A store of which the writes go on to a remote one, so that answers say where they come from. */
public interface ShippedStore extends DocumentStore {
  /**
   * Where an answer comes from.
   *
   * @param store {@code local}, {@code remote} or {@code merged}
   * @param stale what was written so long ago may not show yet
   */
  record Source(String store, Duration stale) {}

  /** Where answers come from now. */
  Source source();
}
