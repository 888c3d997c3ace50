package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.contextd.storage.chromem.FileState;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Names that the system tells, of files of which the size and the time are known. */
final class LeftNames {
  private final LeftFolder.Files files;
  private final CRC32C sum = new CRC32C();
  private long bytes;
  private final long[] states;
  private int count;

  LeftNames(LeftFolder.Files files) {
    this.files = files;
    this.states = new long[files.count() * LeftFolder.NUMBERS];
  }

  /** Adds a piece of the list; false where a name in it is none of the files'. */
  boolean add(MemorySegment piece) {
    sum.update(piece.asByteBuffer());
    bytes += piece.byteSize();
    LinuxNames names = LinuxNames.of(piece.address(), piece.toArray(JAVA_LONG));
    return names != null && addAll(names);
  }

  private boolean addAll(LinuxNames names) {
    for (int i = 0; i < names.count(); i++) {
      if (!add(names, i)) {
        return false;
      }
    }
    return true;
  }

  private boolean add(LinuxNames names, int name) {
    long key = names.keys()[name];
    int number = files.number(key >= 0 ? key : FileState.key(names.text(name)).orElse(-1));
    if (number < 0 || count == files.count()) {
      return false;
    }
    states[count * LeftFolder.NUMBERS] = files.size(number);
    states[count * LeftFolder.NUMBERS + 1] = files.modifiedNanos(number);
    count++;
    return true;
  }

  /** What was added; null where it is not all of the files. */
  @Nullable LeftFolder folder() {
    return count < files.count() ? null : new LeftFolder(bytes, (int) sum.getValue(), states);
  }
}
