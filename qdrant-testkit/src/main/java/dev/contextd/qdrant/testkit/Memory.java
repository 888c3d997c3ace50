package dev.contextd.qdrant.testkit;

import dev.contextd.qdrant.testkit.StoredCollection.Stored;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * What the fake server holds, and one lock around all of it: calls are answered one at a time, and
 * each is done whole or not at all.
 */
final class Memory {
  /** How many writes can be forgotten at most; older ones are durable. */
  static final int JOURNAL_WRITES = 10_000;

  /** A write that was acknowledged: its collection, and what stood there before. */
  private record Write(StoredCollection collection, Map<String, Optional<Stored>> before) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, StoredCollection> collections = new TreeMap<>();
  private final Deque<Write> journal = new ArrayDeque<>();

  /** Answers a call with what the supplier makes under the lock, or with the refusal it throws. */
  <T> void answer(StreamObserver<T> client, Supplier<T> reply) {
    T message;
    try {
      message = locked(reply);
    } catch (StatusRuntimeException refusal) {
      client.onError(refusal);
      return;
    }
    client.onNext(message);
    client.onCompleted();
  }

  <T> T locked(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  boolean has(String name) {
    return collections.containsKey(name);
  }

  StoredCollection collection(String name) {
    StoredCollection collection = collections.get(name);
    if (collection == null) {
      throw Refusals.noCollection(name);
    }
    return collection;
  }

  List<String> names() {
    return List.copyOf(collections.keySet());
  }

  void create(String name, StoredCollection collection) {
    if (collections.putIfAbsent(name, collection) != null) {
      throw Refusals.collectionExists(name);
    }
  }

  boolean delete(String name) {
    return collections.remove(name) != null;
  }

  /** Notes what stands at these ids, before a write to them that will be acknowledged. */
  void beforeWriting(StoredCollection collection, Collection<String> uuids) {
    Map<String, Optional<Stored>> before = new HashMap<>();
    for (String uuid : uuids) {
      before.put(uuid, collection.get(uuid));
    }
    journal.addLast(new Write(collection, before));
    if (journal.size() > JOURNAL_WRITES) {
      journal.removeFirst();
    }
  }

  /** Undoes the last writes, the newest first. */
  void forgetLast(int writes) {
    for (int i = 0; i < writes && !journal.isEmpty(); i++) {
      Write write = journal.removeLast();
      write.collection().restore(write.before());
    }
  }
}
