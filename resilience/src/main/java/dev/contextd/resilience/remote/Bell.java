package dev.contextd.resilience.remote;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Wakes a thread that waits for its next turn; one ring is enough for many. */
final class Bell {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition rung = lock.newCondition();
  private boolean isRung;

  void ring() {
    lock.lock();
    try {
      isRung = true;
      rung.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns at the next ring, or when the time is over. */
  void await(Duration time) throws InterruptedException {
    lock.lock();
    try {
      long left = time.toNanos();
      while (left > 0 && !isRung) {
        left = rung.awaitNanos(left);
      }
      isRung = false;
    } finally {
      lock.unlock();
    }
  }
}
