package dev.contextd.resilience.remote;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.chromem.StoredCollection;
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
  private final Runnable settle;
  private final Findings findings;

  /**
   * @param settle ships what was written up to now
   */
  Comparing(
      VectorStore store,
      RemoteStore remote,
      GuardedRemote guard,
      Shipping shipping,
      Runnable settle,
      Findings findings) {
    this.store = store;
    this.remote = remote;
    this.guard = guard;
    this.shipping = shipping;
    this.settle = settle;
    this.findings = findings;
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
    return findings.toComparison(Optional.empty());
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
        if (findings.repair == Repair.MIRROR) {
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
    findings.otherMetadata++;
    findings.examples.add(
        "the collection \"%s\" is not there with its metadata".formatted(info.name()));
    if (findings.isRepairing()) {
      Optional<String> refused = shipping.describe(info.name(), now.get().metadata());
      refused.ifPresent(findings.examples::add);
      findings.described += refused.isEmpty() ? 1 : 0;
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
          findings.compared += page.size();
          if (!differing(there, page).isEmpty()) {
            // What somebody is writing just now is on its way; only what differs after that
            // differs.
            settle.run();
            List<String> ids = differing(there, page);
            List<Document> now = ids.isEmpty() ? List.of() : here.get(ids);
            findings.hold(collection, now, there.get(ids(now)));
          }
        });
    findExtra(collection, Optional.of(here), there);
  }

  /** The ids of documents that are missing or another one there. */
  private static List<String> differing(Counterpart there, List<Document> documents) {
    Map<String, Document> found = there.get(ids(documents));
    return documents.stream()
        .filter(document -> Sameness.differs(document, found.get(document.id())))
        .map(Document::id)
        .toList();
  }

  private void findExtra(
      StoredCollection collection, Optional<VectorCollection> here, Counterpart there) {
    there.each(page -> {
      List<Document> foreign = notHere(here, page);
      if (!foreign.isEmpty()) {
        settle.run(); // Some may be deleted just now.
        findings.extra(
            collection,
            notHere(here, List.copyOf(there.get(ids(foreign)).values())),
            "is there alone",
            findings.repair == Repair.MIRROR);
      }
    });
  }

  private static List<Document> notHere(Optional<VectorCollection> here, List<Document> documents) {
    Set<String> known = new HashSet<>();
    if (here.isPresent() && !documents.isEmpty()) {
      here.get().get(ids(documents)).forEach(one -> known.add(one.id()));
    }
    return documents.stream().filter(one -> !known.contains(one.id())).toList();
  }

  private static List<String> ids(List<Document> documents) {
    return documents.stream().map(Document::id).toList();
  }
}
