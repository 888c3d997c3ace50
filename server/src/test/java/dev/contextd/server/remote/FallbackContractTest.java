package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.DocumentStore;
import dev.contextd.qdrant.testkit.DocumentStoreContract;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.testkit.StoreRoot;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Both stores, one behind the other: the contract holds, and both hold the same afterwards. */
class FallbackContractTest extends DocumentStoreContract {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final FakeQdrant server = FakeQdrant.open();
  private @Nullable Side side;

  @Override
  protected DocumentStore open() throws Exception {
    Side opened = Side.open(root.path(), server.port());
    side = opened;
    return opened.documents();
  }

  @Override
  protected void verify() throws Exception {
    try (FakeQdrant _ = server;
        Side both = Objects.requireNonNull(side)) {
      both.sync().sync(false);
      both.assertSame(server.port());
      assertThat(both.sync().verify(false).isSame()).isTrue();
      assertThat(both.sync().status().waitingBytes()).isZero();
    }
  }
}
