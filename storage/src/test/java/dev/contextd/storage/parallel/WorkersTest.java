package dev.contextd.storage.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WorkersTest {
  private static final int PIECES = 10_000;

  @Test
  void everyPieceIsDoneOnce() {
    AtomicIntegerArray done = new AtomicIntegerArray(PIECES);
    new Workers(ForkJoinPool.commonPool()).forEach(PIECES, done::incrementAndGet);
    assertThat(IntStream.range(0, PIECES).map(done::get)).containsOnly(1);
  }

  @Test
  void nothingToDoIsDone() {
    new Workers(ForkJoinPool.commonPool())
        .forEach(
            0,
            i -> {
              throw new AssertionError();
            });
  }

  @Test
  void callerAndPoolWorkAtTheSameTime() {
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      CountDownLatch both = new CountDownLatch(2);
      new Workers(pool)
          .forEach(
              2,
              i -> {
                both.countDown();
                await(both); // Alone, the caller would wait here for ever.
              });
      assertThat(both.getCount()).isZero();
    }
  }

  @Test
  void aPoolOfOneThreadLeavesTheCallerAlone() {
    try (ForkJoinPool pool = new ForkJoinPool(1)) {
      Thread caller = Thread.currentThread();
      List<Thread> workers = new Workers(pool).together(8, Thread::currentThread);
      assertThat(workers).containsExactly(caller);
    }
  }

  @Test
  void aBusyPoolIsNotWaitedFor() {
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      CountDownLatch end = new CountDownLatch(1);
      for (int i = 0; i < 2; i++) {
        pool.execute(() -> await(end));
      }
      AtomicInteger done = new AtomicInteger();
      new Workers(pool).forEach(PIECES, i -> done.incrementAndGet());
      assertThat(done).hasValue(PIECES);
      end.countDown();
    }
  }

  @Test
  void aFailureOfAHelperIsTheCallersAndEndsTheRest() {
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      Thread caller = Thread.currentThread();
      CountDownLatch failing = new CountDownLatch(1);
      AtomicInteger after = new AtomicInteger();
      assertThatThrownBy(() ->
              new Workers(pool)
                  .forEach(
                      PIECES,
                      i -> {
                        if (Thread.currentThread() != caller) {
                          failing.countDown();
                          throw new IllegalStateException("broken");
                        }
                        await(failing);
                        after.incrementAndGet();
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("broken");
      assertThat(after).hasValueLessThan(PIECES);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
