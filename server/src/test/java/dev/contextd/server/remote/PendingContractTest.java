package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.DocumentStore;
import dev.contextd.qdrant.testkit.DocumentStoreContract;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.testkit.StoreRoot;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The remote store holds the documents alone, and what waits is laid over it: the contract holds
 * while everything waits, and while it is shipped underneath.
 */
class PendingContractTest {
  /** Whatever is shipped when. */
  abstract static class Contract extends DocumentStoreContract {
    @RegisterExtension final StoreRoot root = new StoreRoot();

    private final FakeQdrant server = FakeQdrant.open();
    private @Nullable Side side;

    abstract void prepare(Side opened);

    @Override
    protected DocumentStore open() throws Exception {
      Side opened = Side.alone(root.path(), server.port(), Side.merged());
      side = opened;
      prepare(opened);
      return opened.documents();
    }

    @Override
    protected void verify() throws Exception {
      try (FakeQdrant _ = server;
          Side both = Objects.requireNonNull(side)) {
        Map<String, String> before = Side.contents(both.documents());
        both.sync().resume();
        both.sync().sync(false);
        assertThat(Side.contents(both.documents())).isEqualTo(before);
        both.assertAllThere(server.port());
        assertThat(both.sync().verify(false).isSame()).isTrue();
        assertThat(both.sync().status().refused()).isZero();
      }
    }
  }

  @Nested
  class EverythingWaits extends Contract {
    @Override
    void prepare(Side opened) {
      opened.sync().pause();
    }
  }

  @Nested
  class ShippedUnderneath extends Contract {
    @Override
    void prepare(Side opened) {
      // It ships as it likes.
    }
  }
}
