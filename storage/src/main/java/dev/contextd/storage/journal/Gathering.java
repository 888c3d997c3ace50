package dev.contextd.storage.journal;

import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Waits a moment before a group is written, for those who are about to come: callers that write one
 * document after another are back soon after their last write was answered. Whoever comes first
 * would else sync for itself, and all others wait for that sync and then for their own.
 *
 * <p>The wait is at most as long as a sync, so that an add takes at most twice what it took
 * without; and it is left out for longer and longer while it is in vain, as where callers have
 * other things to do in between.
 *
 * <p>{@link #await} and {@link #done} are for whoever has the turn, {@link #arrived} for any
 * thread.
 */
final class Gathering {
  private static final long MOST_NANOS = 1_000_000;

  /** The mean sync follows the last ones by an eighth each. */
  private static final int WEIGHT = 8;

  /** After so many waits in vain the pause does not grow any more. */
  private static final int MOST_DOUBLINGS = 6;

  private volatile @Nullable Thread waiting;
  private volatile int expected;
  private long syncNanos;
  private int inVain;
  private int pause;

  /**
   * Somebody came.
   *
   * @param queued how many wait now
   */
  void arrived(int queued) {
    Thread thread = waiting;
    if (thread != null && queued >= expected) {
      LockSupport.unpark(thread);
    }
  }

  /** Returns when all that are expected wait, or the time is over; an interrupt ends no wait. */
  void await(IntSupplier queued) {
    if (pause > 0) {
      pause--;
      return;
    }
    if (queued.getAsInt() >= expected) {
      inVain = 0;
      return;
    }
    waiting = Thread.currentThread();
    boolean isInterrupted = false;
    long end = System.nanoTime() + Math.min(syncNanos, MOST_NANOS);
    long left = end - System.nanoTime();
    while (left > 0 && queued.getAsInt() < expected) {
      LockSupport.parkNanos(this, left);
      isInterrupted |= Thread.interrupted();
      left = end - System.nanoTime();
    }
    waiting = null;
    if (left > 0) {
      inVain = 0;
    } else {
      pause = (1 << inVain) - 1;
      inVain = Math.min(inVain + 1, MOST_DOUBLINGS);
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A group was synced.
   *
   * @param answered how many were in it
   * @param queued how many came meanwhile
   */
  void done(int answered, int queued, long nanos) {
    expected = answered + queued;
    syncNanos += (nanos - syncNanos) / WEIGHT;
  }
}
