package dev.contextd.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * A wait for others is short, ends when they are there, and becomes rare where they do not come.
 */
class GatheringTest {
  private static final int ROUNDS = 1_000;

  private final Gathering gathering = new Gathering();
  private final AtomicInteger looks = new AtomicInteger();

  private void await(int queued) {
    gathering.await(() -> {
      looks.incrementAndGet();
      return queued;
    });
  }

  @Test
  void aSingleCallerIsNotKeptWaiting() {
    for (int i = 0; i < ROUNDS; i++) {
      await(1);
      gathering.done(1, 0, Long.MAX_VALUE);
    }
    assertThat(looks).as("one look each, and no second one after a wait").hasValue(ROUNDS);
  }

  @Test
  void waitsInVainBecomeRareAndCountAgainOnceOthersCome() {
    for (int i = 0; i < ROUNDS; i++) {
      await(1);
      gathering.done(1, 1, 0);
    }
    assertThat(looks.getAndSet(0)).isLessThan(ROUNDS / 10);
    for (int i = 0; i < ROUNDS; i++) {
      await(2);
      gathering.done(2, 0, 0);
    }
    assertThat(looks).hasValueGreaterThan(ROUNDS * 9 / 10);
  }

  @Test
  void anInterruptIsKeptForWhoeverWaits() {
    gathering.done(2, 0, Long.MAX_VALUE);
    Thread.currentThread().interrupt();
    await(1);
    assertThat(Thread.interrupted()).isTrue();
  }
}
