package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Page;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What a collection is on the remote store. It is asked for once, and again while it is not there.
 */
final class Counterpart {
  private final RemoteStore remote;
  private final GuardedRemote guard;
  private final String name;
  private Optional<VectorCollection> found = Optional.empty();

  Counterpart(RemoteStore remote, GuardedRemote guard, String name) {
    this.remote = remote;
    this.guard = guard;
    this.name = name;
  }

  private Optional<VectorCollection> find() {
    if (found.isEmpty()) {
      found = guard.call(() -> remote.collection(name, Scope.ALL));
    }
    return found;
  }

  boolean isThere() {
    return find().isPresent();
  }

  /** How many documents are in it; none where it is not there. */
  long count() {
    return find().map(collection -> orGone(collection::count, 0L)).orElse(0L);
  }

  /** Empty where it is not there. */
  Optional<Map<String, String>> metadata() {
    return guard.call(() -> remote.metadata(name));
  }

  /** Its documents of these ids, by id. */
  Map<String, Document> get(List<String> ids) {
    Map<String, Document> documents = new HashMap<>();
    Optional<VectorCollection> there = ids.isEmpty() ? Optional.empty() : find();
    there.ifPresent(collection ->
        orGone(() -> collection.get(ids), List.<Document>of())
            .forEach(one -> documents.put(one.id(), one)));
    return documents;
  }

  /** All of its documents, a page at a time. */
  void each(Consumer<List<Document>> each) {
    Page none = new Page(List.of(), Optional.empty());
    find()
        .ifPresent(collection ->
            Pages.each(after -> orGone(() -> Pages.ask(collection, after), none), each));
  }

  /** It may be deleted while it is read, by what waited. */
  private <T> T orGone(Supplier<T> call, T gone) {
    try {
      return guard.call(call);
    } catch (StoreException e) {
      if (e.code() != ErrorCode.COLLECTION_NOT_FOUND) {
        throw e;
      }
      found = Optional.empty();
      return gone;
    }
  }
}
