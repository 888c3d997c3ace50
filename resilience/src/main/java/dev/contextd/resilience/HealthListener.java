package dev.contextd.resilience;

import dev.contextd.resilience.remote.RemoteStatus;
import java.util.List;

/**
 * Hears what checks of a store's health come to. A transition is told once; what a listener throws
 * is logged and changes nothing.
 */
public interface HealthListener {

  /** A check came to an end, well or not. */
  default void onCheck(HealthReport report) {}

  /** Folders became corrupt that were not so at the check before. */
  default void onCorrupt(List<String> folders) {}

  /** A damaged thing was to be moved to quarantine, and was or was not. */
  default void onQuarantine(boolean isMoved) {}

  /** A thing was mended without loss. */
  default void onRepair(RepairSource source) {}

  /** A scrub has read and verified so many bytes more. */
  default void onScrubbed(long bytes) {}

  /** A scrub has found so many damaged things more. */
  default void onScrubDamage(int count) {}

  /** The store was healthy, or nobody knew, and now is degraded. */
  default void onDegraded(HealthReport report) {}

  /** The store was degraded, or could not be checked, and now is healthy. */
  default void onRecovered(HealthReport report) {}

  /** A remote store answered for the first time, does not answer any more, or answers again. */
  default void onRemote(RemoteStatus.State state) {}

  /** Calls of a remote store are made, not made, or one is made to see. */
  default void onRemoteBreaker(RemoteStatus.BreakerState state) {}

  /** The store could be checked, and now cannot. */
  default void onError(HealthReport report) {}
}
