package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.ForwardingDisk;
import java.io.IOException;
import java.util.List;

/** A disk that is full: everything works but the writing of files. */
final class FailingWrites extends ForwardingDisk {
  private final Disk real;

  FailingWrites(Disk real) {
    this.real = real;
  }

  @Override
  protected Disk next() {
    return real;
  }

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    throw new IOException("No space left on device");
  }
}
