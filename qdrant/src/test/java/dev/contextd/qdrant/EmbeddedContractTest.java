package dev.contextd.qdrant;

import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.testkit.DocumentStoreContract;
import dev.contextd.testkit.StoreRoot;
import org.junit.jupiter.api.extension.RegisterExtension;

class EmbeddedContractTest extends DocumentStoreContract {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Override
  protected DocumentStore open() throws Exception {
    return VectorStore.open(root.path(), StoreOptions.defaults());
  }
}
