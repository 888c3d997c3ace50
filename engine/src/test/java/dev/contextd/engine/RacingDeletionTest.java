package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A write that creates its collection, while others delete that collection again and again. */
class RacingDeletionTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void anUpsertThatRacesDeletionsOfItsCollectionSucceeds() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      AtomicBoolean stop = new AtomicBoolean();
      Runnable deletes =
          () -> {
            while (!stop.get()) {
              try {
                store.delete("c", Scope.ALL);
              } catch (StoreException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.COLLECTION_NOT_FOUND);
              }
            }
          };
      List<Thread> threads =
          Stream.generate(() -> Thread.ofPlatform().start(deletes)).limit(3).toList();
      try {
        for (int i = 0; i < 100; i++) {
          store.upsert("c", List.of(Given.doc("d" + i, 1, 0)), Scope.ALL);
        }
      } finally {
        stop.set(true);
        for (Thread thread : threads) {
          thread.join();
        }
      }
    }
  }
}
