package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.contextd.storage.parallel.Waiting;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A look at a folder against how it was left. Whoever comes first lists the names; all take parts
 * of them then, and whoever does the last part closes the folder, even if nobody waits for it.
 */
final class LinuxLook implements Disk.Look {
  private static final Logger log = LoggerFactory.getLogger(LinuxLook.class);

  private final Path directory;
  private final LeftFolder left;
  private final AtomicBoolean isBegun = new AtomicBoolean();
  private final CountDownLatch isListed = new CountDownLatch(1);
  private final CountDownLatch isDone = new CountDownLatch(1);
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger undone = new AtomicInteger();
  private volatile boolean differs;

  /** Null where nothing is to be looked at. */
  private volatile @Nullable Listed listed;

  /** An open folder of which all names are those that it had. */
  private record Listed(LinuxFolder.Open folder, List<Part> parts) {}

  /**
   * Some names of a piece of the list.
   *
   * @param address of the piece
   * @param starts where each of its names begins
   * @param first the place of the first name of the piece among all
   */
  private record Part(long address, int[] starts, int from, int to, int first) {}

  LinuxLook(Path directory, LeftFolder left) {
    this.directory = directory;
    this.left = left;
  }

  @Override
  public void takePart() {
    if (isBegun.compareAndSet(false, true)) {
      begin();
    } else {
      Waiting.until(isListed);
    }
    Listed all = listed;
    if (all == null) {
      return;
    }
    int count = all.parts().size();
    for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
      look(all.folder(), all.parts().get(i));
    }
  }

  @Override
  public boolean isAsLeft() {
    takePart();
    Waiting.until(isDone);
    return !differs;
  }

  private void begin() {
    try {
      LinuxFolder linux = LinuxFolder.find().orElse(null);
      LinuxFolder.Open folder = linux == null ? null : linux.open(directory);
      if (folder != null) {
        list(folder);
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      note(e);
    } finally {
      if (listed == null) {
        differs = true;
        isDone.countDown();
      }
      isListed.countDown();
    }
  }

  private void note(Throwable hindrance) {
    log.debug("{} is looked up: {}", directory, hindrance.toString());
    differs = true;
  }

  private void list(LinuxFolder.Open folder) {
    try {
      Names names = new Names(left);
      if (folder.forEachPiece(names::add) && names.areAll()) {
        undone.set(names.parts.size());
        listed = new Listed(folder, names.parts);
      }
    } finally {
      if (listed == null) {
        folder.close();
      }
    }
  }

  /** The names that the system tells now, as far as they may be those that it told. */
  private static final class Names {
    private final LeftFolder left;
    private final List<Part> parts = new ArrayList<>();
    private final CRC32C sum = new CRC32C();
    private long bytes;
    private int count;

    Names(LeftFolder left) {
      this.left = left;
    }

    boolean add(MemorySegment piece) {
      sum.update(piece.asByteBuffer());
      bytes += piece.byteSize();
      int[] starts = LinuxNames.starts(piece.toArray(JAVA_LONG));
      for (int from = 0; from < starts.length; from += LinuxFolder.PART_NAMES) {
        int to = Math.min(starts.length, from + LinuxFolder.PART_NAMES);
        parts.add(new Part(piece.address(), starts, from, to, count));
      }
      count += starts.length;
      return bytes <= left.nameBytes() && count <= left.files();
    }

    boolean areAll() {
      return count > 0
          && count == left.files()
          && bytes == left.nameBytes()
          && (int) sum.getValue() == left.nameSum();
    }
  }

  private void look(LinuxFolder.Open folder, Part part) {
    try {
      if (!differs && !isAsLeft(folder, part)) {
        differs = true;
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      note(e);
    } finally {
      if (undone.decrementAndGet() == 0) {
        end(folder);
      }
    }
  }

  private void end(LinuxFolder.Open folder) {
    try {
      folder.close();
    } finally {
      isDone.countDown();
    }
  }

  private boolean isAsLeft(LinuxFolder.Open folder, Part part) {
    try (Arena arena = Arena.ofConfined()) {
      LinuxAnswers few = new LinuxAnswers(arena);
      boolean isAsLeft = true;
      for (int from = part.from(); isAsLeft && from < part.to(); from += LinuxAnswers.MOST) {
        int count = Math.min(part.to() - from, LinuxAnswers.MOST);
        few.ask(folder, part.address(), part.starts(), from, count);
        isAsLeft = areAsLeft(few, part.first() + from, count);
      }
      return isAsLeft;
    }
  }

  /**
   * Whether a few files are as they were left.
   *
   * @param first the place of the first among all names
   */
  private boolean areAsLeft(LinuxAnswers few, int first, int count) {
    long[] states = left.states();
    boolean isAsLeft = true;
    for (int i = 0; i < count; i++) {
      int answer = i * LinuxStat.WORDS;
      int state = (first + i) * LeftFolder.NUMBERS;
      isAsLeft &=
          few.isAnswered[i]
              && LinuxStat.isFile(few.words, answer)
              && LinuxStat.size(few.words, answer) == states[state]
              && LinuxStat.modifiedNanos(few.words, answer) == states[state + 1];
    }
    return isAsLeft;
  }
}
