package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.FaultyDisk.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A collection that the journal deletes, and whose folder no checkpoint had moved to the trash. */
class DroppedCollectionTest {
  @TempDir Path temp;

  /** Where its documents stand is known as of every other one: the trash holds the last of each. */
  @Test
  void whatThePacksHeldOfItIsKnown() throws Exception {
    Path root = Files.createDirectory(temp.resolve("store"));
    FaultyDisk disk = new FaultyDisk();
    Path crashed;
    try (Opened store = Opened.of(root, disk)) {
      store.create(NOTES).put("a", "old", "b", "other").checkpoint();
      store.put("a", "new");
      Set<Operation> refused = Set.of(Operation.MOVE, Operation.REPLACE, Operation.CREATE);
      disk.fault((operation, path) -> {
        if (refused.contains(operation) && !path.toString().contains("journal")) {
          throw new IOException("injected");
        }
      });
      store.drop(NOTES);
      crashed = store.crashedTo(temp.resolve("crashed"));
      disk.heal();
    }
    try (Opened store = Opened.of(crashed)) {
      assertThat(store.damage()).isEmpty();
      store.checkpoint();
      assertThat(store.trash().values()).containsExactlyInAnyOrder("new", "other");
    }
  }
}
