package dev.contextd.engine;

import dev.contextd.storage.folder.OwnerLock;
import java.io.IOException;

/**
 * Another process, or another store of this one, has the folder open. The message is one line that
 * names the owner's process, since when it has it, where it listens, and what to do.
 */
public final class StoreInUseException extends IOException {
  private static final long serialVersionUID = 1L;

  StoreInUseException(OwnerLock.OwnedException owned) {
    super(owned.getMessage(), owned);
  }
}
