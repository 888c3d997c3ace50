package dev.contextd.storage.outbox;

import dev.contextd.storage.outbox.Outbox.Shipment;
import dev.contextd.storage.outbox.PendingLog.Write;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/** The writes that are on disk and not shipped, in order; for any thread. */
final class PendingQueue {
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private final Deque<Write> queue = new ArrayDeque<>();
  private long bytes;
  private long last;

  /**
   * @param last the last sequence that was used
   */
  PendingQueue(long last, List<Write> found) {
    found.forEach(this::add);
    this.last = last;
  }

  void add(Write write) {
    lock.lock();
    try {
      queue.add(write);
      bytes += write.bytes();
      last = write.sequence();
    } finally {
      lock.unlock();
    }
  }

  /** What waits up to a sequence, in order. */
  List<Write> until(long through) {
    lock.lock();
    try {
      return queue.stream().takeWhile(one -> one.sequence() <= through).toList();
    } finally {
      lock.unlock();
    }
  }

  /** Takes out the first ones. */
  void remove(List<Write> first) {
    lock.lock();
    try {
      for (Write one : first) {
        queue.remove();
        bytes -= one.bytes();
      }
    } finally {
      lock.unlock();
    }
  }

  Outbox.Status status(long shipped, Optional<String> gap) {
    lock.lock();
    try {
      return new Outbox.Status(
          shipped, last, bytes, Optional.ofNullable(queue.peek()).map(Write::since), gap);
    } finally {
      lock.unlock();
    }
  }

  /** The first writes, as many as can be joined. */
  Optional<Shipment> next(int maxDocuments, long maxBytes) {
    lock.lock();
    try {
      Iterator<Write> writes = queue.iterator();
      if (!writes.hasNext()) {
        return Optional.empty();
      }
      Write first = writes.next();
      Parcel parcel =
          new Parcel(first.collection(), first.record(), first.sequence(), first.bytes());
      boolean fits = !parcel.isSingle();
      while (fits && writes.hasNext()) {
        Write next = writes.next();
        fits =
            next.collection().equals(first.collection())
                && parcel.add(next.record(), next.sequence(), next.bytes(), maxDocuments, maxBytes);
      }
      return Optional.of(parcel.toShipment());
    } finally {
      lock.unlock();
    }
  }
}
