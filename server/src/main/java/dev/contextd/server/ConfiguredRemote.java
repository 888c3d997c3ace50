package dev.contextd.server;

import dev.contextd.engine.Embedder;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreException;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.ReadFrom;
import dev.contextd.resilience.remote.RemoteOptions;
import dev.contextd.resilience.remote.UnattendedRemote;
import dev.contextd.server.settings.Settings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The remote store that the settings name. */
final class ConfiguredRemote {
  /**
   * Held, because a logger that nobody holds forgets its level: gRPC tells of its inner workings.
   */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  static {
    GRPC.setLevel(Level.WARNING);
  }

  private static final int HEAP_SHARE = 4;

  private ConfiguredRemote() {}

  /**
   * Prepares the connection; nobody is called yet.
   *
   * @throws StartException where its certificates cannot be read
   */
  static Optional<RemoteStore> of(Settings settings, Optional<Embedder> embedder)
      throws StartException {
    return settings.remote().isEmpty()
        ? Optional.empty()
        : Optional.of(connect(settings.qdrant().server(), embedder));
  }

  private static RemoteStore connect(QdrantOptions options, Optional<Embedder> embedder)
      throws StartException {
    try {
      return QdrantStore.open(options, embedder);
    } catch (IOException | IllegalArgumentException e) {
      throw new StartException(
          "the connection to the Qdrant server %s cannot be prepared: %s; check qdrant.ca_file"
              .formatted(options, e.getMessage()));
    }
  }

  /** Names the server for migrations, which need not be the one that documents go to. */
  static void nameForMigrations(
      Settings settings, ResilientStore store, Optional<Embedder> embedder) {
    store.remote().migrations().with(() -> connectLater(settings, embedder));
  }

  private static RemoteStore connectLater(Settings settings, Optional<Embedder> embedder) {
    try {
      return connect(settings.qdrant().server(), embedder);
    } catch (StartException e) {
      throw new StoreException(ErrorCode.INVALID_ARGUMENT, String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Begins to bring the remote store up to date from the one here, where the settings say so; else
   * the remote store is called directly.
   *
   * @return what came of it, for people, a line each; none where there is no remote store
   * @throws StartException where it cannot be noted who writes there
   */
  static List<String> attach(
      Settings settings,
      ResilientStore store,
      Optional<RemoteStore> remote,
      Optional<Embedder> embedder)
      throws StartException {
    if (remote.isEmpty()) {
      return List.of();
    }
    Optional<Settings.Fallback> fallback = settings.fallback();
    try {
      if (settings.isRemoteAlone()) {
        store.remote().attachAlone(remote.get(), options(fallback.orElseThrow()), embedder);
      } else if (fallback.isPresent()) {
        store.remote().attach(remote.get(), options(fallback.get()));
      } else {
        store.remote().endTimeAlone();
        store.remote().tell(() -> UnattendedRemote.direct(remote.get()));
      }
    } catch (IOException e) {
      throw new StartException("the way to the remote store cannot be prepared: " + e.getMessage());
    }
    List<String> lines = new ArrayList<>();
    boolean isUnattended = fallback.isPresent() && store.store().readOnlyReason().isPresent();
    String how =
        isUnattended ? "to which nothing is sent while the store is read-only" : how(settings);
    lines.add("qdrant at %s, %s".formatted(remote.get().address(), how));
    store.remote().sync().flatMap(sync -> sync.status().note()).ifPresent(lines::add);
    return lines;
  }

  private static String how(Settings settings) {
    if (settings.isRemoteAlone()) {
      return "which holds the documents alone; what waits for it lies here";
    }
    return settings.fallback().isPresent()
        ? "brought up to date from here"
        : "called for every document; vectorstore.fallback.enabled works without it";
  }

  /**
   * Of a store that is only looked at: what waits for the remote store can be told, and one that is
   * called directly is asked whether it answers, when somebody wants to know.
   */
  static void look(Settings settings, ResilientStore store) {
    String address = settings.qdrant().server().toString();
    if (settings.isRemoteAlone()) {
      return; // What waits is told with what is there.
    }
    if (settings.fallback().isPresent()) {
      store
          .remote()
          .tell(
              () -> UnattendedRemote.stopped(address, store.store(), store.remote().knownOwner()));
    } else if (settings.remote().isPresent()) {
      store
          .remote()
          .tell(() -> {
            try (RemoteStore remote = connectLater(settings, Optional.empty())) {
              return UnattendedRemote.direct(remote);
            }
          });
    }
  }

  private static RemoteOptions options(Settings.Fallback fallback) {
    // Without a mirror what waits is in memory too.
    long mostBytes =
        fallback.mirror()
            ? fallback.maxWaitingBytes()
            : Math.min(fallback.maxWaitingBytes(), Runtime.getRuntime().maxMemory() / HEAP_SHARE);
    return RemoteOptions.defaults()
        .withCheckInterval(fallback.checkInterval())
        .withBounds(mostBytes, fallback.maxWaitingAge())
        .withKeepShipped(fallback.keepShipped())
        .withSyncOnConnect(fallback.syncOnConnect())
        .withReadFrom(ReadFrom.valueOf(fallback.read().toUpperCase(Locale.ROOT)));
  }
}
