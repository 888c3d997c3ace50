package dev.contextd.resilience.remote;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.GaveWay;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Holds every document here against the same one on the remote store, and the other way round. */
final class Comparing {
  /** What is done about differences. */
  enum Repair {
    /** They are told. */
    NONE,
    /** What is missing or different there is written again. */
    SHIP,
    /** The same, and what is there alone is deleted there, after it was kept here. */
    MIRROR
  }

  private final VectorStore store;
  private final RemoteStore remote;
  private final GuardedRemote guard;
  private final Shipping shipping;
  private final Conflicts conflicts;
  private final Runnable settle;
  private final Repair repair;
  private long compared;
  private long missing;
  private long different;
  private long extra;
  private long otherMetadata;
  private long shipped;
  private long removed;
  private long described;
  private final Examples examples = new Examples();

  /**
   * @param settle ships what was written up to now
   */
  Comparing(
      VectorStore store,
      RemoteStore remote,
      GuardedRemote guard,
      Shipping shipping,
      Conflicts conflicts,
      Runnable settle,
      Repair repair) {
    this.store = store;
    this.remote = remote;
    this.guard = guard;
    this.shipping = shipping;
    this.conflicts = conflicts;
    this.settle = settle;
    this.repair = repair;
  }

  Comparison run() {
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      Optional<VectorCollection> here = store.collection(info.name(), Scope.ALL);
      if (here.isPresent()) {
        Counterpart there = counterpart(info.name());
        compareMetadata(info, there);
        compare(stored(info), here.get(), there);
      }
    }
    findStrangers();
    return new Comparison(
        compared,
        missing,
        different,
        extra,
        otherMetadata,
        shipped,
        removed,
        described,
        Optional.empty(),
        examples.all());
  }

  private Counterpart counterpart(String name) {
    return new Counterpart(remote, guard, name);
  }

  /** Collections that are ours there, and not here: another program deleted them. */
  private void findStrangers() {
    for (CollectionInfo info : guard.call(() -> remote.collections(Scope.ALL))) {
      String name = info.name();
      if (store.collection(name, Scope.ALL).isEmpty() && shipping.isOurs(name)) {
        findExtra(stored(info), Optional.empty(), counterpart(name));
        if (repair == Repair.MIRROR) {
          shipping.drop(name);
        }
      }
    }
  }

  private static StoredCollection stored(CollectionInfo info) {
    return new StoredCollection(info.name(), info.metadata());
  }

  private void compareMetadata(CollectionInfo info, Counterpart there) {
    if (isDescribed(info, there)) {
      return;
    }
    settle.run(); // It may be on its way.
    Optional<CollectionInfo> now =
        store.collection(info.name(), Scope.ALL).map(VectorCollection::info);
    if (now.isEmpty() || isDescribed(now.get(), there)) {
      return;
    }
    otherMetadata++;
    examples.add("the collection \"%s\" is not there with its metadata".formatted(info.name()));
    if (repair != Repair.NONE) {
      Optional<String> refused = shipping.describe(info.name(), now.get().metadata());
      refused.ifPresent(examples::add);
      described += refused.isEmpty() ? 1 : 0;
    }
  }

  /** What is not known here must not take the place of what is known there. */
  private static boolean isDescribed(CollectionInfo info, Counterpart there) {
    return info.lostMetadata().isPresent()
        || there.metadata().filter(present -> present.equals(info.metadata())).isPresent();
  }

  private void compare(StoredCollection collection, VectorCollection here, Counterpart there) {
    Pages.each(
        here,
        page -> {
          compared += page.size();
          if (!differing(there, page).isEmpty()) {
            // What somebody is writing just now is on its way; only what differs after that
            // differs.
            settle.run();
            List<String> ids = differing(there, page);
            note(collection, there, ids.isEmpty() ? List.of() : here.get(ids));
          }
        });
    findExtra(collection, Optional.of(here), there);
  }

  /** The ids of documents that are missing or another one there. */
  private static List<String> differing(Counterpart there, List<Document> documents) {
    Map<String, Document> found = there.get(documents.stream().map(Document::id).toList());
    return documents.stream()
        .filter(document -> Sameness.differs(document, found.get(document.id())))
        .map(Document::id)
        .toList();
  }

  /** Notes which of these documents, as they are here now, differ; and repairs them. */
  private void note(StoredCollection collection, Counterpart there, List<Document> documents) {
    String name = collection.name();
    Map<String, Document> found = there.get(documents.stream().map(Document::id).toList());
    List<StoredDocument> wrong = new ArrayList<>();
    List<Document> foreign = new ArrayList<>();
    for (Document document : documents) {
      Document other = found.get(document.id());
      if (other == null) {
        missing++;
        examples.add("\"%s\" of \"%s\" is missing there".formatted(document.id(), name));
        wrong.add(Conflicts.stored(document));
      } else if (Sameness.differs(document, other)) {
        different++;
        examples.add("\"%s\" of \"%s\" is another one there".formatted(document.id(), name));
        wrong.add(Conflicts.stored(document));
        foreign.add(other);
      }
    }
    if (repair != Repair.NONE && !wrong.isEmpty()) {
      conflicts.keep(collection, GaveWay.REMOTE_REPLACED, foreign);
      Optional<String> refused = shipping.put(name, wrong);
      refused.ifPresent(examples::add);
      shipped += refused.isEmpty() ? wrong.size() : 0;
    }
  }

  private void findExtra(
      StoredCollection collection, Optional<VectorCollection> here, Counterpart there) {
    there.each(page -> {
      List<Document> foreign = notHere(here, page);
      if (!foreign.isEmpty()) {
        settle.run(); // Some may be deleted just now.
        List<String> ids = foreign.stream().map(Document::id).toList();
        noteExtra(collection, notHere(here, List.copyOf(there.get(ids).values())));
      }
    });
  }

  private static List<Document> notHere(Optional<VectorCollection> here, List<Document> documents) {
    Set<String> known = new HashSet<>();
    List<String> ids = documents.stream().map(Document::id).toList();
    if (here.isPresent() && !ids.isEmpty()) {
      here.get().get(ids).forEach(one -> known.add(one.id()));
    }
    return documents.stream().filter(one -> !known.contains(one.id())).toList();
  }

  private void noteExtra(StoredCollection collection, List<Document> foreign) {
    String name = collection.name();
    extra += foreign.size();
    foreign.forEach(
        one -> examples.add("\"%s\" of \"%s\" is there alone".formatted(one.id(), name)));
    if (repair == Repair.MIRROR && !foreign.isEmpty()) {
      conflicts.keep(collection, GaveWay.REMOTE_DELETED, foreign);
      shipping.remove(name, foreign.stream().map(Document::id).toList());
      removed += foreign.size();
    }
  }
}
