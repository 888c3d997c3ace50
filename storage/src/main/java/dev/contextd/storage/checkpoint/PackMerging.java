package dev.contextd.storage.checkpoint;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Merges packs beside readers, writers and checkpoints.
 *
 * <p>Invariants: one caller at a time merges; the checkpointer's monitor is held to choose what is
 * merged and to put it in its place, not while packs are read and written.
 */
final class PackMerging {
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
      List<PackMerge> unapplied = new ArrayList<>(checkpointer.beginMerges(deadBefore));
      int begun = unapplied.size();
      try {
        if (write(unapplied)) {
          unapplied.retainAll(checkpointer.apply(List.copyOf(unapplied)));
        }
      } finally {
        unapplied.forEach(PackMerge::discard);
        checkpointer.endMerges();
      }
      if (begun == unapplied.size()) {
        return false;
      }
      checkpointer.settlePacks();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Returns false where it was stopped. */
  private boolean write(List<PackMerge> merges) throws IOException {
    for (PackMerge merge : merges) {
      try {
        if (!merge.write(() -> isOver)) {
          return false;
        }
      } catch (IOException e) {
        if (checkpointer.isWanted(merge)) {
          throw e;
        }
        // The collection was deleted, and its packs are gone.
      }
    }
    return true;
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
