package dev.contextd.engine;

import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.OwnerLock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Who has a store open.
 *
 * @param pid of the process; empty where it is not known
 * @param since RFC 3339; empty where it is not known
 * @param address that it listens on, such as {@code http://localhost:9090}; empty where it listens
 *     on none, or not yet
 */
public record StoreOwner(String pid, String since, String address) {

  /**
   * Tells who has the store in a folder open; nothing is changed by asking.
   *
   * @return empty where nobody has
   * @throws IOException where it cannot be told
   */
  public static Optional<StoreOwner> of(Path root) throws IOException {
    return OwnerLock.ownerOf(new LocalDisk(), root.resolve(Names.PRIVATE))
        .map(owner -> new StoreOwner(owner.pid(), owner.since(), owner.address()));
  }
}
