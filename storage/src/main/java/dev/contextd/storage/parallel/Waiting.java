package dev.contextd.storage.parallel;

import java.util.concurrent.CountDownLatch;

/** Waits that an interrupt does not cut short; the thread stays interrupted. */
public final class Waiting {
  private Waiting() {}

  /** Returns when the latch is open. */
  public static void until(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
