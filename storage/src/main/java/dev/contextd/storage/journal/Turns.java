package dev.contextd.storage.journal;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Many wait for work that any of them can do for several: one at a time does it, the others sleep
 * until theirs is done or it is their turn.
 *
 * <p>A lock instead would wake them one after another, each to find its own done, while whoever
 * comes anew takes the lock and works for itself alone.
 */
final class Turns {
  /** Waking takes memory; where there was none, a sleeper looks for itself. */
  private static final long LOOK_AGAIN_NANOS = 1_000_000_000L;

  private final AtomicBoolean isTaken = new AtomicBoolean();
  private final Queue<Waiter> waiting = new ConcurrentLinkedQueue<>();

  /** Somebody who waits; equal to itself alone. */
  private static final class Waiter {
    private final Thread thread = Thread.currentThread();
    private final BooleanSupplier isDone;

    private Waiter(BooleanSupplier isDone) {
      this.isDone = isDone;
    }
  }

  /**
   * Returns when something is done; an interrupt does not end the waiting.
   *
   * @param isDone for ever from when a turn has done it
   * @param turn does it, or part of it, here or in whatever thread waits; called by one thread at a
   *     time
   */
  void await(BooleanSupplier isDone, Runnable turn) {
    if (isDone.getAsBoolean()) {
      return;
    }
    Waiter self = new Waiter(isDone);
    boolean isInterrupted = false;
    boolean isOver = false;
    waiting.add(self);
    try {
      while (!isDone.getAsBoolean()) {
        if (isTaken.compareAndSet(false, true)) {
          try {
            if (!isDone.getAsBoolean()) { // It may have been done just before.
              turn.run();
            }
          } finally {
            isTaken.set(false);
            wake(self);
          }
        } else {
          LockSupport.parkNanos(this, LOOK_AGAIN_NANOS);
          isInterrupted |= Thread.interrupted(); // Else parking would not sleep any more.
        }
      }
      isOver = true;
    } finally {
      waiting.remove(self);
      if (!isOver) {
        wake(self); // Whoever counted on this one to take the next turn is mistaken.
      }
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Wakes all whose work is done, and one more, who takes the next turn. Nobody is overlooked: who
   * is not among the waiting yet looks whether it is done, and whether the turn is free,
   * afterwards.
   */
  private void wake(Waiter self) {
    boolean isNextAwake = false;
    for (Waiter waiter : waiting) {
      boolean isDone = waiter.isDone.getAsBoolean();
      if (waiter != self && (isDone || !isNextAwake)) {
        isNextAwake |= !isDone;
        LockSupport.unpark(waiter.thread);
      }
    }
  }
}
