package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The moment at which a daemon is struck: just after the n-th call was sent, and a little later, so
 * that any step of a write can be the last. Once it has come, calls may fail.
 */
final class Moment {
  private static final long PATIENCE_SECONDS = 60;

  private final CountDownLatch calls;
  private final long laterNanos;
  private volatile boolean come;

  /**
   * @param laterNanos how long to go on once the call was sent; only chance depends on it
   */
  Moment(int call, long laterNanos) {
    this.calls = new CountDownLatch(call);
    this.laterNanos = laterNanos;
  }

  /** A client is about to send a call. */
  void aboutToSend() {
    calls.countDown();
  }

  void await() throws InterruptedException {
    assertThat(calls.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("clients send").isTrue();
    come = true;
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < laterNanos) {
      Thread.onSpinWait();
    }
  }

  boolean hasCome() {
    return come;
  }
}
