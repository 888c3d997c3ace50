package dev.contextd.engine;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** The real disk, of which one operation fails before it has done anything. */
final class FaultyDisk extends ForwardingDisk {
  private final Disk disk = new LocalDisk();
  private final String message;
  private final AtomicInteger untilFault = new AtomicInteger(Integer.MAX_VALUE);
  private volatile boolean failed;

  FaultyDisk(String message) {
    this.message = message;
  }

  /** The {@code n}th operation from now fails, and only that one. */
  void failAt(int n) {
    failed = false;
    untilFault.set(n);
  }

  /** Nothing fails any more. */
  void disarm() {
    untilFault.set(Integer.MAX_VALUE);
  }

  boolean hasFailed() {
    return failed;
  }

  @Override
  protected Disk next() throws IOException {
    if (untilFault.decrementAndGet() == 0) {
      failed = true;
      throw new IOException(message);
    }
    return disk;
  }
}
