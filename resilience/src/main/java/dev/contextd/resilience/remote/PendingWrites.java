package dev.contextd.resilience.remote;

import dev.contextd.engine.Batch;
import dev.contextd.engine.Checks;
import dev.contextd.engine.Document;
import dev.contextd.engine.Filter;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.Written;
import dev.contextd.resilience.remote.PendingBacklog.Prepared;
import dev.contextd.resilience.remote.PendingView.Entry;
import dev.contextd.resilience.remote.PendingView.Part;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.outbox.KnownCollection;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The writes of one caller to one collection of a {@link PendingStore}. What must be asked of the
 * remote store first is asked while nothing that waits is let go, and judged anew, against all that
 * was queued meanwhile, when the write is queued itself.
 */
final class PendingWrites {
  private final PendingStore store;
  private final PendingBacklog backlog;
  private final String name;
  private final Scope scope;

  PendingWrites(PendingStore store, String name, Scope scope) {
    this.store = store;
    this.backlog = store.backlog();
    this.name = name;
    this.scope = scope;
  }

  /**
   * @param creates whether the collection is created where there is none
   */
  Written upsert(Batch batch, boolean creates) {
    int dimension = batch.requireDimension(0);
    Checks.newIds(batch.ids(), _ -> false);
    Optional<KnownCollection> before = store.find(name);
    boolean isOther = before.filter(known -> isOther(known, dimension)).isPresent();
    Prepared prepared =
        backlog.prepare(
            name,
            new JournalRecord.Put(
                0, batch.model().map(used -> new ModelRecord(used, dimension)), batch.documents()));
    if (scope.isAll() && !isOther) {
      upsert(prepared, batch, creates, false);
    } else {
      backlog.holding(() -> {
        refuseForeignIds(batch);
        boolean isEmptied = isOther && isEmpty();
        upsert(prepared, batch, creates, isEmptied);
        return isEmptied;
      });
    }
    return new Written(batch.ids(), batch.truncated());
  }

  private static boolean isOther(KnownCollection known, int dimension) {
    return known.dimension() != 0 && known.dimension() != dimension;
  }

  /** Whether nothing is left in it, so that it may begin again with another dimension. */
  private boolean isEmpty() {
    return new PendingReads(store, name, Scope.ALL, backlog.view()).count() == 0;
  }

  private void upsert(Prepared put, Batch batch, boolean creates, boolean isEmptied) {
    backlog.write(
        PendingStore.doing("writing to", name),
        head -> {
          Optional<KnownCollection> present = backlog.known(head, name);
          if (present.isEmpty()) {
            if (!creates) {
              throw Checks.notFound(name);
            }
            return List.of(backlog.prepare(name, PendingStore.created(name, Map.of())), put);
          }
          require(present.get(), head, batch, isEmptied);
          return List.of(put);
        });
  }

  private void require(KnownCollection known, PendingView head, Batch batch, boolean isEmptied) {
    requireOurs(name, known);
    Optional<Part> part = head.part(name);
    boolean hasDocuments = part.filter(here -> here.documents() > 0).isPresent();
    if (hasDocuments || !isEmptied) {
      batch.requireDimension(known.dimension());
      batch
          .model()
          .ifPresent(used -> known.model().ifPresent(present -> Checks.model(name, present, used)));
    }
    for (String id : batch.ids()) {
      StoredDocument present = part.map(here -> document(here, id)).orElse(null);
      if (present != null && !scope.contains(present.metadataOrEmpty())) {
        throw Checks.taken(id);
      }
    }
  }

  private static @Nullable StoredDocument document(Part part, String id) {
    Entry entry = part.entries().get(id);
    return entry == null ? null : entry.document();
  }

  static void requireOurs(String name, KnownCollection known) {
    known
        .owner()
        .ifPresent(owner -> {
          throw Shipping.belongsTo(name, owner);
        });
  }

  /** Those on the remote store; the ones that wait are judged when the write is queued. */
  private void refuseForeignIds(Batch batch) {
    if (scope.isAll()) {
      return;
    }
    PendingReads reads = new PendingReads(store, name, Scope.ALL, backlog.view());
    for (Document present : reads.getIfAny(batch.ids())) {
      if (!scope.contains(present.metadata())) {
        throw Checks.taken(present.id());
      }
    }
  }

  int delete(List<String> ids) {
    Checks.ids(ids);
    store.find(name);
    return backlog.holding(() -> {
      PendingView view = backlog.view();
      Set<String> there = onRemote(view, ids);
      AtomicInteger deleted = new AtomicInteger();
      remove(head -> {
        List<String> present = new ArrayList<>();
        Optional<Part> part = head.part(name);
        for (String id : new LinkedHashSet<>(ids)) {
          if (isPresent(part, id, there.contains(id))) {
            present.add(id);
          }
        }
        deleted.set(present.size());
        return present;
      });
      return deleted.get();
    });
  }

  private boolean isPresent(Optional<Part> part, String id, boolean isOnRemote) {
    Entry entry = part.map(here -> here.entries().get(id)).orElse(null);
    if (entry == null) {
      return isOnRemote && !part.map(Part::isWhole).orElse(false);
    }
    StoredDocument document = entry.document();
    return document != null && scope.contains(document.metadataOrEmpty());
  }

  /**
   * Those that the remote store holds in the scope. Where it does not answer, and nobody else's
   * could be among them, all may be there: they are deleted there in any case.
   */
  private Set<String> onRemote(PendingView view, List<String> ids) {
    PendingReads reads = new PendingReads(store, name, scope, view);
    try {
      Set<String> there = new HashSet<>();
      reads.fromRemote(ids).forEach(one -> there.add(one.id()));
      return there;
    } catch (StoreException e) {
      if (!scope.isAll() || !GuardedRemote.isItsFault(e)) {
        throw e;
      }
      return Set.copyOf(ids);
    }
  }

  int deleteWhere(Filter where) {
    Checks.filter(where);
    scope.refuseReserved(where.fields(), "where");
    store.find(name);
    Filter confined = scope.confine(where);
    return backlog.holding(() -> {
      PendingView view = backlog.view();
      PendingReads reads = new PendingReads(store, name, scope, view);
      List<String> there = reads.remote(found -> found.matching(where)).orElse(List.of());
      AtomicInteger deleted = new AtomicInteger();
      remove(head -> {
        Optional<Part> part = head.part(name);
        List<String> matching = new ArrayList<>();
        // What was written meanwhile is judged by what it is now.
        there.stream()
            .filter(id -> part.map(here -> here.entries().get(id)).isEmpty())
            .forEach(matching::add);
        part.ifPresent(here ->
            here.stored()
                .filter(one -> confined.holdsFor(one.metadataOrEmpty()))
                .forEach(one -> matching.add(one.id())));
        deleted.set(matching.size());
        return matching;
      });
      return deleted.get();
    });
  }

  private interface Choice {
    List<String> from(PendingView head);
  }

  private void remove(Choice choice) {
    backlog.write(
        PendingStore.doing("deleting from", name),
        head -> {
          KnownCollection present =
              backlog.known(head, name).orElseThrow(() -> Checks.notFound(name));
          requireOurs(name, present);
          List<String> ids = choice.from(head);
          return ids.isEmpty()
              ? List.of()
              : List.of(backlog.prepare(name, new JournalRecord.Removed(0, ids)));
        });
  }
}
