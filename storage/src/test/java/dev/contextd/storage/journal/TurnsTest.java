package dev.contextd.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One of those who wait works for all, and nobody is left asleep. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TurnsTest {
  private static final int THREADS = 16;
  private static final int EACH = 5_000;

  private final Turns turns = new Turns();
  private final Queue<AtomicBoolean> queued = new ConcurrentLinkedQueue<>();
  private final AtomicInteger inTurn = new AtomicInteger();
  private final AtomicInteger taken = new AtomicInteger();

  /** Does some of what is queued, and asserts that nobody else is at it. */
  private void doSome() {
    assertThat(inTurn.incrementAndGet()).isEqualTo(1);
    taken.incrementAndGet();
    for (int i = 0; i < 5; i++) {
      AtomicBoolean next = queued.poll();
      if (next != null) {
        next.set(true);
      }
    }
    inTurn.decrementAndGet();
  }

  private static void inEachThread(IntConsumer work) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int n = i;
        running.add(threads.submit(() -> work.accept(n)));
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
  }

  private void doOne() {
    AtomicBoolean own = new AtomicBoolean();
    queued.add(own);
    turns.await(own::get, this::doSome);
    assertThat(own).isTrue();
  }

  private void failOnce() {
    assertThatThrownBy(() -> turns.await(() -> false, TurnsTest::fail))
        .hasMessage("of this one alone");
  }

  @Test
  void everybodysWorkIsDoneByOneAtATime() throws Exception {
    inEachThread(_ -> {
      for (int i = 0; i < EACH; i++) {
        doOne();
      }
    });
    assertThat(queued).isEmpty();
    assertThat(taken.get()).isBetween(THREADS * EACH / 5, THREADS * EACH);
  }

  /** Two may wait for the same, as who is refused waits for the write before. */
  @Test
  void whoeverWaitsIsWokenByWhoeverDoesIt() throws Exception {
    AtomicBoolean own = new AtomicBoolean();
    CountDownLatch isAtWork = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      Future<?> first =
          threads.submit(
              () -> turns.await(own::get, heldUp(isAtWork, mayGoOn, () -> own.set(true))));
      isAtWork.await();
      List<Future<?>> others = new ArrayList<>();
      for (int i = 1; i < THREADS; i++) {
        others.add(
            threads.submit(() ->
                turns.await(
                    own::get,
                    () -> {
                      throw new AssertionError("nothing is left to do");
                    })));
      }
      mayGoOn.countDown();
      first.get();
      for (Future<?> other : others) {
        other.get();
      }
    }
  }

  @Test
  void aTurnThatThrowsIsFollowedByTheNext() throws Exception {
    CountDownLatch isAtWork = new CountDownLatch(1);
    CountDownLatch mayFail = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<?> failing =
          threads.submit(
              () -> turns.await(() -> false, heldUp(isAtWork, mayFail, TurnsTest::fail)));
      isAtWork.await();
      AtomicBoolean own = new AtomicBoolean();
      queued.add(own);
      Future<?> next = threads.submit(() -> turns.await(own::get, this::doSome));
      mayFail.countDown();
      assertThatThrownBy(failing::get).hasRootCauseMessage("of this one alone");
      next.get();
      assertThat(own).isTrue();
    }
  }

  /** Two fail in turn while others come and go; whoever counted on one of them is woken. */
  @Test
  void turnsThatThrowLeaveNobodyAsleep() throws Exception {
    inEachThread(n -> {
      for (int i = 0; i < EACH / 10; i++) {
        if (n % 3 == 0) {
          failOnce();
        } else {
          doOne();
        }
      }
    });
    assertThat(queued).isEmpty();
  }

  @Test
  void anInterruptIsKeptAndEndsNoWaiting() throws Exception {
    CountDownLatch isAtWork = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    AtomicBoolean own = new AtomicBoolean();
    AtomicBoolean wasInterrupted = new AtomicBoolean();
    Thread first =
        Thread.ofPlatform()
            .start(() -> turns.await(own::get, heldUp(isAtWork, mayGoOn, () -> own.set(true))));
    isAtWork.await();
    Thread waiter =
        Thread.ofPlatform()
            .start(() -> {
              turns.await(own::get, () -> {});
              wasInterrupted.set(Thread.currentThread().isInterrupted() && own.get());
            });
    while (waiter.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    waiter.interrupt();
    while (waiter.isInterrupted() || waiter.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    mayGoOn.countDown();
    waiter.join();
    first.join();
    assertThat(wasInterrupted).isTrue();
  }

  private static void fail() {
    throw new IllegalStateException("of this one alone");
  }

  /** A turn that tells that it has begun, and goes on when it may. */
  private static Runnable heldUp(CountDownLatch hasBegun, CountDownLatch mayGoOn, Runnable work) {
    return () -> {
      hasBegun.countDown();
      try {
        mayGoOn.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      work.run();
    };
  }
}
