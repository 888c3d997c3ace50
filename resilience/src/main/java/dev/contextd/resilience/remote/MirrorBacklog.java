package dev.contextd.resilience.remote;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.remote.Comparing.Repair;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.Outbox.Shipment;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The outbox of a store that holds every document too. */
final class MirrorBacklog implements Backlog {
  private final VectorStore store;
  private final Outbox outbox;
  private final RemoteStore remote;
  private final GuardedRemote guard;
  private final Conflicts conflicts;

  MirrorBacklog(VectorStore store, Outbox outbox, RemoteStore remote, GuardedRemote guard) {
    this.store = store;
    this.outbox = outbox;
    this.remote = remote;
    this.guard = guard;
    this.conflicts = new Conflicts(store);
  }

  @Override
  public Outbox.Status status() {
    return outbox.status();
  }

  @Override
  public long unsettledBytes() {
    return store.durability().pendingBytes();
  }

  @Override
  public Conflicts conflicts() {
    return conflicts;
  }

  @Override
  public void onMore(Runnable wake) {
    outbox.onMore(wake);
  }

  /** What is in the journal alone does not go yet. */
  @Override
  public void settle() {
    store.checkpoint();
  }

  @Override
  public Optional<Shipment> next(int maxDocuments, long maxBytes) throws IOException {
    return outbox.next(maxDocuments, maxBytes);
  }

  @Override
  public void acknowledge(long through) throws IOException {
    outbox.acknowledge(through);
  }

  @Override
  public List<String> collections() {
    return store.collections(Scope.ALL).stream().map(CollectionInfo::name).toList();
  }

  @Override
  public void tend() {
    // The store looks after its files itself.
  }

  @Override
  public void reached(Shipping shipping) {
    // Everything lies here.
  }

  @Override
  public boolean fillsGaps() {
    return true;
  }

  @Override
  public long gaps() {
    return outbox.gaps();
  }

  @Override
  public void clearGap(long compared) throws IOException {
    outbox.clearGap(compared);
  }

  @Override
  public Comparison compare(Shipping shipping, Runnable settle, Repair repair) {
    Findings findings = new Findings(shipping, conflicts, repair);
    return new Comparing(store, remote, guard, shipping, settle, findings).run();
  }

  @Override
  public Optional<String> note() {
    return Optional.empty();
  }
}
