package dev.contextd.resilience;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Tells a background thread to end, also one that waits for its next turn. */
final class StopSignal {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition signal = lock.newCondition();
  private boolean isGiven;

  void give() {
    lock.lock();
    try {
      isGiven = true;
      signal.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isGiven() {
    lock.lock();
    try {
      return isGiven;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a time; returns whether to go on. */
  boolean await(Duration time) {
    lock.lock();
    try {
      long left = time.toNanos();
      while (left > 0 && !isGiven) {
        left = signal.awaitNanos(left);
      }
      return !isGiven;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }
}
