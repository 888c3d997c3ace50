package dev.contextd.storage.disk;

/** The machine's disk, of which a test does some calls in its own way. */
public class RealDisk extends ForwardingDisk {
  protected final Disk disk = new LocalDisk();

  @Override
  protected Disk next() {
    return disk;
  }
}
