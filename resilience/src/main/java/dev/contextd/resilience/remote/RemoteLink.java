package dev.contextd.resilience.remote;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.HealthListener;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.PendingLog;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a store has to do with a remote one: none at first, then one at most. */
public final class RemoteLink implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RemoteLink.class);

  private final VectorStore store;
  private final StoreFolder folder;
  private final Disk disk;
  private final Clock clock;
  private final Consumer<Consumer<HealthListener>> listeners;
  private final Migrations migrations;
  private volatile DocumentStore documents;
  private volatile Optional<RemoteSync> sync = Optional.empty();
  private volatile Optional<Supplier<RemoteStatus>> status = Optional.empty();
  private volatile Optional<PendingLog> pending = Optional.empty();
  private volatile boolean isAlone;

  /**
   * Of a store that has none yet.
   *
   * @param listeners reaches those who listen to health
   */
  public RemoteLink(
      VectorStore store,
      StoreFolder folder,
      Disk disk,
      Clock clock,
      Consumer<Consumer<HealthListener>> listeners) {
    this.store = store;
    this.folder = folder;
    this.disk = disk;
    this.clock = clock;
    this.listeners = listeners;
    this.migrations = new Migrations(store);
    this.documents = store;
  }

  /**
   * Brings what is written here to a remote store from now on; the store was opened with an outbox.
   * Of a store that is read-only nothing is brought there.
   *
   * @param remote is closed by whoever opened it
   * @throws IOException where it cannot be noted who writes there
   */
  public void attach(RemoteStore remote, RemoteOptions options) throws IOException {
    if (store.readOnlyReason().isPresent()) {
      tell(() -> UnattendedRemote.stopped(remote.address(), store, knownOwner()));
      return;
    }
    endTimeAlone();
    Outbox outbox =
        store
            .outbox()
            .orElseThrow(() -> new IllegalStateException("the store was opened without an outbox"));
    RemoteSync attached = RemoteSync.ofMirror(store, outbox, context(remote, options));
    documents = new FallbackStore(store, remote, attached, options.readFrom());
    begin(attached);
  }

  /**
   * Serves a remote store that holds the documents alone from now on, and brings there what is
   * written, by way of this folder. Documents that lie here are not served. Where the folder is
   * read-only what waits is shown, and nothing is brought there.
   *
   * @param remote is closed by whoever opened it
   * @param embedder turns texts into vectors; the caller closes it
   * @throws IOException where what waits cannot be read or written here
   */
  public void attachAlone(RemoteStore remote, RemoteOptions options, Optional<Embedder> embedder)
      throws IOException {
    PendingLog log = store.openPending(options.keepShipped());
    pending = Optional.of(log);
    beAlone();
    PendingStore attached =
        PendingStore.open(log, store, context(remote, options), embedder, unserved());
    documents = attached;
    if (store.readOnlyReason().isPresent()) {
      tell(() -> UnattendedRemote.stopped(remote.address(), knownOwner(), log.status()));
    } else {
      begin(attached.sync());
    }
  }

  /**
   * Shows a remote store that holds the documents alone, as it is; nothing is brought there.
   *
   * @param remote is closed by whoever opened it
   */
  public void lookAtAlone(RemoteStore remote) {
    beAlone();
    documents = remote;
    tell(() -> {
      try {
        return UnattendedRemote.stopped(
            remote.address(), knownOwner(), PendingLog.look(disk, folder, clock.instant()));
      } catch (IOException e) {
        throw StoreException.ofDisk("looking at what waits", e);
      }
    });
  }

  /** What lies here is older than what is there: nothing of it may go over that. */
  private void beAlone() {
    isAlone = true;
    migrations.refuseToRemote(
        "with vectorstore.remote.mirror: false the documents on the server are the only ones that"
            + " count; those here are from before, and would bring back what was changed or deleted"
            + " since");
  }

  /**
   * Ends what was kept of a time in which the remote store held the documents alone: it is not the
   * last word on any of them once they are written in another way. It is in the trash for its time.
   *
   * @throws IOException where writes still wait, or nothing can be moved
   */
  public void endTimeAlone() throws IOException {
    if (store.readOnlyReason().isPresent() || !disk.exists(folder.pending())) {
      return;
    }
    if (PendingLog.look(disk, folder, clock.instant()).waitingBytes() > 0) {
      throw new IOException("writes wait in " + folder.pending() + ", and lie nowhere else");
    }
    log.info(
        "what was sent without a mirror is kept as {}",
        folder.trash().moveDurably(folder.pending()));
  }

  private Optional<String> unserved() {
    long found = store.collections(Scope.ALL).stream().mapToLong(CollectionInfo::count).sum();
    return found == 0
        ? Optional.empty()
        : Optional.of(
            "%d documents lie in %s from before and are not served, because documents are served from the remote store alone"
                .formatted(found, folder.root()));
  }

  private RemoteContext context(RemoteStore remote, RemoteOptions options) throws IOException {
    return new RemoteContext(remote, who(), options, clock, new SecureRandom(), listeners);
  }

  private void begin(RemoteSync attached) {
    sync = Optional.of(attached);
    status = Optional.of(attached::status);
    attached.start();
  }

  /** A folder that is read-only and never wrote there has no name for itself, and needs none. */
  private String who() throws IOException {
    return store.readOnlyReason().isPresent() ? knownOwner().orElse("") : owner(folder.identity());
  }

  private String owner(String identity) {
    return identity + " (" + folder.root() + ")";
  }

  /** Who writes to a remote store; empty where nobody has yet, or it cannot be told. */
  public Optional<String> knownOwner() {
    try {
      return folder.knownIdentity().map(this::owner);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Takes what tells of a remote store that is not brought up to date from here. */
  public void tell(Supplier<RemoteStatus> unattended) {
    status = Optional.of(unattended);
  }

  /** How things stand with the remote store; empty where there is none. */
  public Optional<RemoteStatus> status() {
    return status.map(Supplier::get);
  }

  /** Whether documents lie on a remote store alone, so that there are none here to act on. */
  public boolean isAlone() {
    return isAlone;
  }

  /**
   * Whether writes wait in a folder for a remote store, in the way that is not the one it is opened
   * in: they would wait for ever.
   *
   * @param isAlone whether it is opened for a remote store that holds the documents alone
   * @return what waits, and what to do about it
   * @throws IOException where that cannot be known
   */
  public static Optional<String> strandedWrites(Path root, StoreOptions options, boolean isAlone)
      throws IOException {
    StoreFolder folder = new StoreFolder(options.disk(), root, options.clock());
    if (isAlone) {
      return Outbox.isWaiting(options.disk(), folder)
          ? Optional.of(
              "writes wait in %s for the remote store; set vectorstore.remote.mirror: true and run ctxd remote sync, then this"
                  .formatted(folder.outbox()))
          : Optional.empty();
    }
    long waiting =
        PendingLog.look(options.disk(), folder, options.clock().instant()).waitingBytes();
    return waiting == 0
        ? Optional.empty()
        : Optional.of(
            "%d bytes of writes wait in %s for the remote store, and lie nowhere else; set vectorstore.remote.mirror: false and run ctxd remote sync, then this"
                .formatted(waiting, folder.pending()));
  }

  /** What brings a remote store up to date; empty where nothing does. */
  public Optional<RemoteSync> sync() {
    return sync;
  }

  /** Migrations to a remote store and from it. */
  public Migrations migrations() {
    return migrations;
  }

  /** What callers of the data API work on. */
  public DocumentStore documents() {
    return documents;
  }

  /** Nothing more is sent; what is in hand is sent again after the next start. */
  public void stop() {
    sync.ifPresent(RemoteSync::close);
  }

  /** Closes what was opened here, after {@link #stop}. */
  @Override
  public void close() {
    pending.ifPresent(RemoteLink::close);
  }

  private static void close(PendingLog pending) {
    try {
      pending.close();
    } catch (IOException e) {
      log.warn("the log of pending writes was not closed: {}", e.toString());
    }
  }
}
