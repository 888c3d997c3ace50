package dev.contextd.storage.checkpoint;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges packs beside readers, writers and checkpoints.
 *
 * <p>Invariants: one caller at a time merges; the checkpointer's monitor is held to choose what is
 * merged and to put it in its place, not while packs are read and written.
 */
final class PackMerging {
  private static final Logger log = LoggerFactory.getLogger(PackMerging.class);

  private final Checkpointer checkpointer;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean isOver;

  PackMerging(Checkpointer checkpointer) {
    this.checkpointer = checkpointer;
  }

  /**
   * Merges one run of packs of each collection at most.
   *
   * @param deadBefore packs with rows dead since before this moment are merged in any case, in
   *     milliseconds since 1970
   * @return whether anything was merged
   */
  boolean run(long deadBefore) throws IOException {
    lock.lock();
    try {
      if (isOver) {
        return false;
      }
      List<PackMerge> begun = checkpointer.beginMerges(deadBefore);
      try {
        return merge(begun);
      } finally {
        checkpointer.endMerges();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean merge(List<PackMerge> begun) throws IOException {
    List<PackMerge> written = new ArrayList<>();
    IOException failure = null;
    for (PackMerge merge : begun) {
      try {
        checkpointer.requireWritable();
        if (!merge.write(() -> isOver)) {
          written.add(merge);
          discard(written);
          return false;
        }
        written.add(merge);
      } catch (IOException e) {
        discard(List.of(merge));
        if (checkpointer.isWanted(
            merge)) { // Else the collection was deleted, and its packs are gone.
          failure = e;
        }
      } catch (RuntimeException | Error e) {
        written.add(merge);
        discard(written);
        throw e;
      }
    }
    // Where this fails halfway, some are in place: the next opening removes what nothing names.
    List<PackMerge> unwanted = checkpointer.apply(written);
    discard(unwanted);
    checkpointer.settlePacks();
    if (failure != null) {
      throw failure;
    }
    return unwanted.size() < written.size();
  }

  private void discard(List<PackMerge> merges) {
    try {
      checkpointer.requireWritable();
      merges.forEach(PackMerge::discard);
    } catch (IOException e) {
      log.debug("what was merged stays: {}", e.toString());
    }
  }

  /** No packs are merged from here on; waits for whoever is about to. */
  void stop() {
    isOver = true;
    lock.lock();
    try {
      // Nobody is.
    } finally {
      lock.unlock();
    }
  }

  boolean isOver() {
    return isOver;
  }
}
