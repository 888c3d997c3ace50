package dev.contextd.resilience.remote;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import dev.contextd.resilience.remote.RemoteStatus.BreakerState;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The breaker in front of the remote store: after calls that failed none is made for a while, which
 * doubles each time and is never the same for two daemons; then one call tries.
 */
final class GuardedRemote {
  private static final int WINDOW_CALLS = 4;
  private static final int LEAST_CALLS = 2;
  private static final float FAILURE_PERCENT = 50;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
  private static final double GROWTH = 2;
  private static final double JITTER = 0.5;

  private final CircuitBreaker breaker;
  private final LongAdder failures = new LongAdder();

  /**
   * @param changed hears of each change of state
   */
  GuardedRemote(Consumer<BreakerState> changed) {
    this.breaker =
        CircuitBreaker.of(
            "remote",
            CircuitBreakerConfig.custom()
                .slidingWindow(
                    WINDOW_CALLS, LEAST_CALLS, CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                .failureRateThreshold(FAILURE_PERCENT)
                .permittedNumberOfCallsInHalfOpenState(1)
                .waitIntervalFunctionInOpenState(
                    IntervalFunction.ofExponentialRandomBackoff(
                        FIRST_PAUSE, GROWTH, JITTER, LONGEST_PAUSE))
                .recordException(GuardedRemote::isItsFault)
                .ignoreException(e -> !isItsFault(e))
                .build());
    breaker.getEventPublisher().onStateTransition(_ -> changed.accept(state()));
  }

  /** A call that was refused for what it said shows that the store is there. */
  static boolean isItsFault(Throwable e) {
    return !(e instanceof StoreException failed)
        || failed.code() == ErrorCode.REMOTE_UNAVAILABLE
        || failed.code() == ErrorCode.REMOTE_FAILED;
  }

  /**
   * Makes a call.
   *
   * @throws StoreException {@link ErrorCode#REMOTE_UNAVAILABLE} where none is made now
   */
  <T> T call(Supplier<T> call) {
    try {
      return breaker.executeSupplier(call);
    } catch (CallNotPermittedException e) {
      throw new StoreException(
          ErrorCode.REMOTE_UNAVAILABLE,
          "the remote store failed just now and is left alone for a moment; ctxd remote breaker reset asks it at once",
          e);
    } catch (StoreException e) {
      if (isItsFault(e)) {
        failures.increment();
      }
      throw e;
    }
  }

  void run(Runnable call) {
    call(() -> {
      call.run();
      return true;
    });
  }

  BreakerState state() {
    return switch (breaker.getState()) {
      case OPEN, FORCED_OPEN -> BreakerState.OPEN;
      case HALF_OPEN -> BreakerState.HALF_OPEN;
      case CLOSED, DISABLED, METRICS_ONLY -> BreakerState.CLOSED;
    };
  }

  /** Calls that failed since the start. */
  long failures() {
    return failures.sum();
  }

  /** Calls are made again, whatever was. */
  void reset() {
    breaker.reset();
  }
}
