package dev.contextd.resilience.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import dev.contextd.resilience.remote.RemoteStatus.BreakerState;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The breaker in front of a remote store. */
class GuardedRemoteTest {
  private final List<BreakerState> told = new CopyOnWriteArrayList<>();
  private final GuardedRemote guard = new GuardedRemote(told::add);
  private final AtomicInteger made = new AtomicInteger();
  private final AtomicBoolean isAway = new AtomicBoolean();

  private int ask() {
    return guard.call(() -> {
      made.incrementAndGet();
      if (isAway.get()) {
        throw new StoreException(ErrorCode.REMOTE_UNAVAILABLE, "it is away");
      }
      return 1;
    });
  }

  private void open() {
    isAway.set(true);
    while (guard.state() != BreakerState.OPEN) {
      assertThatThrownBy(this::ask).hasMessage("it is away");
    }
  }

  /** However long this takes: a call is made only where the breaker let one try. */
  @Test
  void whileItIsOpenNoCallIsMade() {
    open();
    assertThat(told).containsExactly(BreakerState.OPEN);
    int before = made.get();
    assertThat(guard.failures()).isEqualTo(before);
    for (int i = 0; i < 100; i++) {
      assertThatThrownBy(this::ask)
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.REMOTE_UNAVAILABLE));
    }
    long tries = told.stream().filter(BreakerState.HALF_OPEN::equals).count();
    assertThat(made.get() - before).isEqualTo((int) tries).isLessThan(100);
  }

  @Test
  void oneCallTriesAfterAPauseAndClosesIt() {
    open();
    isAway.set(false);
    await()
        .untilAsserted(() -> {
          try {
            ask();
          } catch (StoreException e) {
            assertThat(e).hasMessageContaining("ctxd remote breaker reset");
          }
          assertThat(guard.state()).isEqualTo(BreakerState.CLOSED);
        });
    assertThat(told)
        .containsExactly(BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED);
  }

  @Test
  void afterAResetCallsAreMadeAtOnce() {
    open();
    isAway.set(false);
    guard.reset();
    assertThat(ask()).isEqualTo(1);
    assertThat(guard.state()).isEqualTo(BreakerState.CLOSED);
  }

  /** Whoever refuses is there. */
  @Test
  void aRefusalIsNoFailure() {
    for (int i = 0; i < 100; i++) {
      assertThatThrownBy(() ->
              guard.run(() -> {
                throw new StoreException(ErrorCode.INVALID_ARGUMENT, "no");
              }))
          .hasMessage("no");
    }
    assertThat(guard.state()).isEqualTo(BreakerState.CLOSED);
    assertThat(guard.failures()).isZero();
    assertThat(told).isEmpty();
  }
}
