package dev.contextd.resilience.remote;

import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Page;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.QueryResult.Coverage;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.RemoteCollection;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.search.Vectors;
import dev.contextd.resilience.remote.PendingView.Entry;
import dev.contextd.resilience.remote.PendingView.Part;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.outbox.KnownCollection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What one caller reads of one collection: the remote store with what waits laid over it, as of one
 * moment. What waits is taken before the remote store is asked, so that a write which arrives there
 * in between is seen twice rather than not at all, and shown once.
 */
final class PendingReads {
  private final PendingStore store;
  private final String name;
  private final Scope scope;
  private final Optional<Part> part;

  PendingReads(PendingStore store, String name, Scope scope, PendingView view) {
    this.store = store;
    this.name = name;
    this.scope = scope;
    this.part = view.part(name);
  }

  private <T> T call(Supplier<T> call) {
    return store.sync().guard().call(call);
  }

  /**
   * Asks the remote store for what lies there and is not overlaid; empty where none of that counts.
   *
   * @throws StoreException {@link ErrorCode#COLLECTION_NOT_FOUND} where it is on neither side
   */
  <T> Optional<T> remote(Function<RemoteCollection, T> question) {
    if (part.isPresent() && !part.get().exists()) {
      throw Checks.notFound(name);
    }
    if (part.map(Part::isWhole).orElse(false)) {
      return Optional.empty();
    }
    Set<String> hidden = part.map(Part::ids).orElse(Set.of());
    Optional<RemoteCollection> found = call(() -> store.remote().collection(name, scope, hidden));
    if (found.isEmpty() && part.isEmpty()) {
      throw Checks.notFound(name);
    }
    try {
      return found.map(there -> call(() -> question.apply(there)));
    } catch (StoreException e) {
      if (e.code() == ErrorCode.COLLECTION_NOT_FOUND && part.isPresent()) {
        return Optional.empty(); // An empty one is just made anew, for another dimension.
      }
      throw e;
    }
  }

  /** The pending documents in the scope, in the order of ids. */
  private Stream<StoredDocument> here() {
    return part.stream().flatMap(Part::stored).filter(this::isVisible);
  }

  private boolean isVisible(StoredDocument document) {
    return scope.contains(document.metadataOrEmpty());
  }

  /** How many documents are pending, in the scope. */
  private long countHere() {
    return scope.isAll() ? part.map(Part::documents).orElse(0) : here().count();
  }

  private static Document document(StoredDocument stored) {
    return new Document(
        stored.id(), stored.content(), stored.embedding().clone(), stored.metadataOrEmpty());
  }

  long count() {
    return remote(RemoteCollection::count).orElse(0L) + countHere();
  }

  CollectionInfo info() {
    Optional<CollectionInfo> there = remote(RemoteCollection::info);
    Optional<KnownCollection> here = part.map(Part::known);
    boolean hasPending = part.filter(one -> one.documents() > 0).isPresent();
    return new CollectionInfo(
        name,
        "",
        there
            .map(CollectionInfo::metadata)
            .or(() -> here.map(KnownCollection::metadata))
            .orElse(Map.of()),
        there.map(CollectionInfo::count).orElse(0L) + countHere(),
        hasPending
            ? OptionalInt.of(here.orElseThrow().dimension())
            : there.map(CollectionInfo::dimension).orElse(OptionalInt.empty()),
        here.flatMap(KnownCollection::model)
            .map(model -> new CollectionInfo.Model(model, false))
            .or(() -> there.flatMap(CollectionInfo::model)),
        0,
        Optional.empty());
  }

  List<Document> get(List<String> ids) {
    Checks.ids(ids);
    Map<String, Document> found = new HashMap<>();
    fromRemote(ids).forEach(one -> found.put(one.id(), one));
    for (String id : ids) {
      entry(id)
          .map(Entry::document)
          .filter(this::isVisible)
          .ifPresent(one -> found.put(id, document(one)));
    }
    return ids.stream().distinct().map(found::get).filter(Objects::nonNull).toList();
  }

  /** As {@link #get}; none where there is no collection, which only the remote store can tell. */
  List<Document> getIfAny(List<String> ids) {
    try {
      return get(ids);
    } catch (StoreException e) {
      if (e.code() == ErrorCode.COLLECTION_NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  private Optional<Entry> entry(String id) {
    return part.map(one -> one.entries().get(id));
  }

  /** Those on the remote store of which nothing waits; it is not asked where there can be none. */
  List<Document> fromRemote(List<String> ids) {
    List<String> left = ids.stream().distinct().filter(id -> entry(id).isEmpty()).toList();
    if (left.isEmpty() && part.filter(Part::exists).isPresent()) {
      return List.of();
    }
    return remote(found -> found.get(left)).orElse(List.of());
  }

  Page page(Optional<String> after, int limit) {
    Checks.pageLimit(limit);
    Optional<Page> there = remote(found -> found.page(after, limit));
    Comparator<String> order = store.remote().pageOrder(name);
    List<Document> documents = new ArrayList<>();
    there.ifPresent(page -> documents.addAll(page.documents()));
    here()
        .filter(one -> after.isEmpty() || order.compare(one.id(), after.get()) > 0)
        .sorted(Comparator.comparing(StoredDocument::id, order))
        .limit(limit + 1L)
        .map(PendingReads::document)
        .forEach(documents::add);
    if (part.isPresent()) {
      documents.sort(Comparator.comparing(Document::id, order));
    }
    boolean isLast = documents.size() <= limit && there.flatMap(Page::next).isEmpty();
    List<Document> shown = documents.subList(0, Math.min(limit, documents.size()));
    return new Page(shown, isLast ? Optional.empty() : Optional.of(shown.getLast().id()));
  }

  /** What a query asks for, before anything is looked at: embedding a text takes its time. */
  EmbeddedText embedded(Query query) {
    query.check(scope);
    return query.embedded(store::embedder, this::requireModel);
  }

  QueryResult query(Query query, EmbeddedText target) {
    if (part.isPresent() && !part.get().exists()) {
      throw Checks.notFound(name);
    }
    Query asked =
        new Query(
            new Query.Target.Vector(target.vector()),
            query.limit(),
            query.where(),
            query.whereDocument());
    if (part.filter(one -> one.documents() > 0).isPresent()) {
      Checks.dimension(
          part.get().known().dimension(), target.vector().length, "the query's vector");
    }
    Optional<QueryResult> there;
    boolean isAlone = false;
    try {
      there = remote(found -> found.query(asked));
    } catch (StoreException e) {
      if (!store.answersAlone(e)) {
        throw e;
      }
      there = Optional.empty();
      isAlone = true;
    }
    long searched = there.map(found -> found.coverage().searched()).orElse(0L) + countHere();
    return new QueryResult(
        merge(asked, target.vector(), there),
        new Coverage(
            searched,
            part.filter(one -> one.isWhole()).isPresent() && !isAlone
                ? OptionalLong.of(0)
                : OptionalLong.empty()),
        target.truncated(),
        isAlone);
  }

  private void requireModel(String used) {
    store
        .find(name)
        .flatMap(KnownCollection::model)
        .ifPresent(present -> Checks.model(name, present, used));
  }

  /** All scored alike, so that there is one order. */
  private List<Hit> merge(Query query, float[] target, Optional<QueryResult> there) {
    double norm = Vectors.norm(target);
    Stream<Scored> remote =
        there.stream()
            .flatMap(found -> found.hits().stream())
            .map(hit -> Scored.of(target, norm, hit.document()));
    Stream<Scored> pending =
        here()
            .filter(one -> matches(query, one))
            .map(one ->
                new Scored(
                    one.id(), Vectors.cosine(target, norm, one.embedding()), () -> document(one)));
    return Stream.concat(remote, pending)
        .sorted(Scored.BEST_FIRST)
        .limit(query.limit())
        .map(Scored::hit)
        .toList();
  }

  /** A document of either side with its score; those that are not among the best are not copied. */
  private record Scored(String id, double score, Supplier<Document> document) {
    static final Comparator<Scored> BEST_FIRST = Hit.bestFirst(Scored::score, Scored::id);

    static Scored of(float[] target, double norm, Document document) {
      return new Scored(
          document.id(), Vectors.cosine(target, norm, document.embedding()), () -> document);
    }

    Hit hit() {
      return new Hit(document.get(), score);
    }
  }

  private static boolean matches(Query query, StoredDocument document) {
    return query.where().map(where -> where.holdsFor(document.metadataOrEmpty())).orElse(true)
        && query.whereDocument().map(text -> text.matches(document.content())).orElse(true);
  }
}
