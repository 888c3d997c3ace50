package dev.contextd.qdrant;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Scope;
import dev.contextd.qdrant.testkit.DocumentStoreContract;
import dev.contextd.qdrant.testkit.FakeQdrant;
import java.util.Optional;

/** Against a server in this process; with {@code QDRANT_HOST} set, against a real and empty one. */
class QdrantContractTest extends DocumentStoreContract {
  private Optional<FakeQdrant> server = Optional.empty();

  @Override
  protected DocumentStore open() throws Exception {
    String host = System.getenv().getOrDefault("QDRANT_HOST", "");
    if (host.isEmpty()) {
      server = Optional.of(FakeQdrant.open());
    }
    int port = Integer.parseInt(System.getenv().getOrDefault("QDRANT_PORT", "6334"));
    QdrantOptions options =
        server
            .map(fake -> QdrantOptions.at("localhost", fake.port()))
            .orElseGet(() -> QdrantOptions.at(host, port));
    QdrantStore store = QdrantStore.open(options, Optional.empty());
    for (CollectionInfo left : store.collections(Scope.ALL)) {
      store.delete(left.name(), Scope.ALL);
    }
    return store;
  }

  @Override
  protected void verify() {
    server.ifPresent(FakeQdrant::close);
  }
}
