package dev.contextd.resilience.remote;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Limits;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.outbox.Outbox.Shipment;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does on the remote store what was done here. Everything it does is absolute, so that doing it
 * twice does no harm. One thread at a time.
 *
 * <p>Invariant: nothing is written to a collection that another daemon owns.
 */
final class Shipping {
  private static final Logger log = LoggerFactory.getLogger(Shipping.class);

  private final RemoteStore remote;
  private final GuardedRemote guard;
  private final String owner;

  /** Collections that are known to be ours there, since the start. */
  private final Set<String> owned = new HashSet<>();

  /** Collections of which the model is noted there, since the start. */
  private final Set<String> modelled = new HashSet<>();

  private final LongAdder shipped = new LongAdder();
  private final LongAdder refused = new LongAdder();

  /**
   * @param owner who writes to the remote collections, for whoever else would
   */
  Shipping(RemoteStore remote, GuardedRemote guard, String owner) {
    this.remote = remote;
    this.guard = guard;
    this.owner = owner;
  }

  /** Documents and deletions that were acknowledged there. */
  long shipped() {
    return shipped.sum();
  }

  /** Documents that can never be held there. */
  long refused() {
    return refused.sum();
  }

  /**
   * Ships one thing.
   *
   * @return why part of it can never be held there; empty where all is
   * @throws StoreException where it is to be shipped again
   */
  Optional<String> ship(Shipment shipment) {
    try {
      return switch (shipment) {
        case Shipment.Created created -> {
          create(created.collection(), created.metadata());
          yield Optional.empty();
        }
        case Shipment.Changed changed -> {
          // First, so that documents that are refused keep nothing from being deleted.
          if (!changed.removed().isEmpty()) {
            remove(changed.collection(), changed.removed());
          }
          yield changed.documents().isEmpty() ? Optional.empty() : put(changed);
        }
        case Shipment.Dropped dropped -> {
          drop(dropped.collection());
          yield Optional.empty();
        }
      };
    } catch (StoreException e) {
      if (isForNow(e)) {
        throw e;
      }
      refused.add(shipment instanceof Shipment.Changed it ? it.documents().size() : 1);
      log.error("the remote store does not take what was written to {}", shipment.collection(), e);
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** Whether the same call may succeed later. */
  private static boolean isForNow(StoreException e) {
    return switch (e.code()) {
      case REMOTE_UNAVAILABLE, REMOTE_FAILED, COLLECTION_NOT_FOUND, CLOSED -> true;
      default -> false;
    };
  }

  /** Whether a collection there is this daemon's. */
  boolean isOurs(String collection) {
    return guard
        .call(() -> remote.owner(collection))
        .filter(present -> !isForeign(present))
        .isPresent();
  }

  /** Who else owns a collection there; for any thread. */
  Optional<String> foreignOwner(String collection) {
    return guard.call(() -> remote.owner(collection)).filter(this::isForeign);
  }

  private boolean isForeign(String present) {
    return !id(present).equals(id(owner));
  }

  static StoreException belongsTo(String collection, String present) {
    return new StoreException(
        ErrorCode.REMOTE_FAILED,
        "the remote collection \"%s\" belongs to %s; stop that one, then ctxd remote sync --take-over"
            .formatted(collection, present));
  }

  /** Another daemon's collection is not touched. */
  private void requireOwned(String collection) {
    if (owned.contains(collection)) {
      return;
    }
    Optional<String> present = guard.call(() -> remote.owner(collection));
    if (present.isPresent() && isForeign(present.get())) {
      throw belongsTo(collection, present.get());
    }
    if (present.isPresent()) {
      owned.add(collection);
    }
  }

  /** The first word; the rest says where it was, and may change. */
  private static String id(String owner) {
    return owner.split(" ", 2)[0];
  }

  private void claim(String collection) {
    if (!owned.contains(collection)) {
      guard.run(() -> remote.claim(collection, owner));
      owned.add(collection);
    }
  }

  /** Makes every collection ours that is there, whoever had it. */
  void takeOver(List<String> collections) {
    for (String collection : collections) {
      guard.run(() -> remote.claim(collection, owner));
      owned.add(collection);
    }
  }

  private void create(String collection, Map<String, String> metadata) {
    Optional<String> refusal = remote.refusal(collection, List.of());
    if (refusal.isPresent()) {
      throw new StoreException(ErrorCode.INVALID_ARGUMENT, refusal.get());
    }
    requireOwned(collection);
    try {
      guard.call(() -> remote.create(collection, metadata));
    } catch (StoreException e) {
      if (e.code() != ErrorCode.COLLECTION_EXISTS) {
        throw e; // Else it is there with metadata that somebody gave it before.
      }
    }
    claim(collection);
    shipped.increment();
  }

  /**
   * Makes a collection be there with this metadata; returns why it can never be.
   *
   * @throws StoreException as {@link #ship}
   */
  Optional<String> describe(String collection, Map<String, String> metadata) {
    Optional<String> refusal = remote.refusal(collection, List.of());
    if (refusal.isEmpty()) {
      create(collection, metadata);
      guard.run(() -> remote.describe(collection, metadata));
    }
    return refusal;
  }

  private Optional<String> put(Shipment.Changed changed) {
    Optional<String> refusal = put(changed.collection(), changed.documents());
    if (changed.model().isPresent() && !modelled.contains(changed.collection())) {
      guard.run(() -> remote.noteModel(changed.collection(), changed.model().get()));
      modelled.add(changed.collection());
    }
    return refusal;
  }

  /** Writes documents; returns why some were left out. */
  Optional<String> put(String collection, List<StoredDocument> documents) {
    List<NewDocument> all = documents.stream().map(NewDocument::again).toList();
    List<NewDocument> fine = all;
    Optional<String> refusal = remote.refusal(collection, all);
    if (refusal.isPresent()) {
      fine =
          all.stream().filter(one -> remote.refusal(collection, List.of(one)).isEmpty()).toList();
      refused.add(all.size() - fine.size());
    }
    requireOwned(collection);
    for (int from = 0; from < fine.size(); from += Limits.MAX_BATCH_DOCUMENTS) {
      List<NewDocument> batch =
          fine.subList(from, Math.min(fine.size(), from + Limits.MAX_BATCH_DOCUMENTS));
      guard.call(() -> remote.upsert(collection, batch, Scope.ALL));
    }
    if (!fine.isEmpty()) {
      claim(collection);
    }
    shipped.add(fine.size());
    return refusal;
  }

  /** Deletes documents; what is not there is passed over. */
  void remove(String collection, List<String> ids) {
    requireOwned(collection);
    Optional<VectorCollection> found = guard.call(() -> remote.collection(collection, Scope.ALL));
    if (found.isPresent()) {
      for (int from = 0; from < ids.size(); from += Limits.MAX_IDS) {
        List<String> some = ids.subList(from, Math.min(ids.size(), from + Limits.MAX_IDS));
        guard.call(() -> found.get().delete(some));
      }
    }
    shipped.add(ids.size());
  }

  /** Deletes a collection, where it is there. */
  void drop(String collection) {
    requireOwned(collection);
    try {
      guard.run(() -> remote.delete(collection, Scope.ALL));
    } catch (StoreException e) {
      if (e.code() != ErrorCode.COLLECTION_NOT_FOUND) {
        throw e;
      }
    }
    owned.remove(collection);
    modelled.remove(collection);
    shipped.increment();
  }
}
