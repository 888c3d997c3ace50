package dev.contextd.storage.parallel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The calling thread and helpers out of a pool.
 *
 * <p>The caller always works itself and never waits for a helper that has not begun: a pool whose
 * threads are busy costs speed, not time spent waiting.
 */
public final class Workers {
  private final ForkJoinPool pool;
  private final int count;

  /**
   * @param pool its parallelism bounds the workers, the caller included; only the common pool is
   *     made a thread smaller than the machine because its callers work too
   */
  public Workers(ForkJoinPool pool) {
    this.pool = pool;
    int callers = pool.equals(ForkJoinPool.commonPool()) ? 1 : 0;
    this.count =
        Math.min(pool.getParallelism() + callers, Runtime.getRuntime().availableProcessors());
  }

  /** The calling thread and those of the common pool. */
  public static Workers common() {
    return new Workers(ForkJoinPool.commonPool());
  }

  /**
   * Does every piece of work once, in any order. After one that throws no other is begun, and none
   * is being done any more when this returns.
   */
  public void forEach(int pieces, IntConsumer work) {
    AtomicInteger next = new AtomicInteger();
    together(
        pieces,
        () -> {
          try {
            for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
              work.accept(i);
            }
          } catch (Throwable e) {
            next.set(pieces);
            throw e;
          }
          return pieces;
        });
  }

  /**
   * Has a helper begin with something that the caller takes part in later; nothing where the caller
   * is alone.
   */
  public void begin(Runnable work) {
    if (count > 1) {
      pool.execute(work);
    }
  }

  /**
   * Runs one task in several threads at once, which share out the work among themselves.
   *
   * @param most that can be of use
   * @return the results of those that began, of which the caller's is the first
   */
  public <T> List<T> together(int most, Supplier<T> task) {
    List<Helper<T>> helpers = new ArrayList<>();
    for (int i = 1; i < Math.min(count, most); i++) {
      Helper<T> helper = new Helper<>(task);
      helpers.add(helper);
      pool.execute(helper);
    }
    List<T> results = new ArrayList<>();
    try {
      results.add(task.get());
    } finally {
      helpers.removeIf(Helper::isSpared);
      helpers.forEach(Helper::awaitEnd);
    }
    helpers.forEach(helper -> results.add(helper.result()));
    return results;
  }

  private static final class Helper<T> implements Runnable {
    private final Supplier<T> task;
    private final AtomicBoolean isClaimed = new AtomicBoolean();
    private final CountDownLatch end = new CountDownLatch(1);
    private @Nullable T result;
    private @Nullable Throwable failure;

    Helper(Supplier<T> task) {
      this.task = task;
    }

    @Override
    public void run() {
      if (!isClaimed.compareAndSet(false, true)) {
        return;
      }
      try {
        result = task.get();
      } catch (Throwable e) {
        failure = e;
      } finally {
        end.countDown();
      }
    }

    /** Whether it had not begun; it never will. */
    boolean isSpared() {
      return isClaimed.compareAndSet(false, true);
    }

    void awaitEnd() {
      Waiting.until(end);
    }

    T result() {
      // No switch over types: it makes a class when it is first run, and every start comes here.
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      T made = result;
      if (made == null) {
        throw new IllegalStateException("a task without a result");
      }
      return made;
    }
  }
}
