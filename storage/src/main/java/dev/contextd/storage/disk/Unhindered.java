package dev.contextd.storage.disk;

import dev.contextd.storage.parallel.Waiting;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Work that an interrupt of the calling thread must not cut short: it is done by a thread that
 * nobody knows. What a channel was at when it was interrupted cannot be asked again, because a sync
 * that failed tells so once.
 */
final class Unhindered {
  private Unhindered() {}

  /** A file operation. */
  @FunctionalInterface
  interface Work {
    void run() throws IOException;
  }

  static void run(Work work) throws IOException {
    Attempt attempt = new Attempt(work);
    Thread.ofVirtual().name("sync").start(attempt);
    Waiting.until(attempt.end);
    attempt.throwIfFailed();
  }

  /** What came of the work; read after its end. */
  private static final class Attempt implements Runnable {
    private final Work work;
    private final CountDownLatch end = new CountDownLatch(1);
    private @Nullable Throwable failure;

    Attempt(Work work) {
      this.work = work;
    }

    @Override
    public void run() {
      try {
        work.run();
      } catch (IOException | RuntimeException | Error e) {
        failure = e;
      } finally {
        end.countDown();
      }
    }

    void throwIfFailed() throws IOException {
      // No switch over types: it makes a class when it is first run, and every start comes here.
      if (failure instanceof IOException e) {
        throw e;
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
    }
  }
}
