package dev.contextd.server;

import dev.contextd.engine.Embedder;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreInUseException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.HealthOptions;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.server.http.HttpServer;
import dev.contextd.server.metrics.Metrics;
import dev.contextd.server.settings.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A store that no daemon has open, served to this process alone: on loopback, on a free port,
 * behind a token that nobody else knows.
 */
public final class LocalService implements AutoCloseable {
  private static final int TOKEN_BYTES = 32;
  private static final Duration SHUTDOWN = Duration.ofSeconds(5);

  private final ResilientStore store;
  private final Optional<Embedder> embedder;
  private final Optional<RemoteStore> remote;
  private final HttpServer http;
  private final String token;
  private final List<String> opened;

  private LocalService(
      ResilientStore store,
      Optional<Embedder> embedder,
      Optional<RemoteStore> remote,
      HttpServer http,
      String token,
      List<String> opened) {
    this.store = store;
    this.embedder = embedder;
    this.remote = remote;
    this.http = http;
    this.token = token;
    this.opened = opened;
  }

  /** What may happen to the store. */
  public enum Access {
    /** It is only looked at: no byte of it changes, what is damaged stays as it is. */
    LOOK,
    /** It is opened as the daemon opens it, and changes as the calls say. */
    CHANGE
  }

  /**
   * Opens the store that the settings name. Where it is opened for a change, the remote store that
   * they name is brought up to date from it, as the daemon does.
   *
   * @throws StartException where it cannot be opened
   */
  public static LocalService open(Settings settings, Access access) throws StartException {
    Optional<Embedder> embedder = ConfiguredEmbedder.of(settings);
    return open(settings, settings.vectorstorePath(), access, embedder, true);
  }

  /**
   * Opens a store in a folder of its own, with the backups of the store that the settings name. No
   * remote store hears of it.
   *
   * @throws StartException where it cannot be opened
   */
  public static LocalService open(Settings settings, Path root, Access access)
      throws StartException {
    return open(settings, root, access, ConfiguredEmbedder.of(settings), false);
  }

  private static LocalService open(
      Settings settings, Path root, Access access, Optional<Embedder> embedder, boolean isForRemote)
      throws StartException {
    Optional<RemoteStore> remote =
        isForRemote && (access == Access.CHANGE || settings.isRemoteAlone())
            ? ConfiguredRemote.of(settings, embedder)
            : Optional.empty();
    ResilientStore store = store(settings, root, access, embedder);
    List<String> opened = new ArrayList<>(Announcement.lines(settings, store.summary(), List.of()));
    byte[] secret = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(secret);
    String token = HexFormat.of().formatHex(secret);
    Metrics metrics =
        new Metrics(
            store,
            new Metrics.Options(root, false, settings.health().scanInterval(), Version.CURRENT));
    store.checker().listen(metrics.health());
    ConfiguredRemote.nameForMigrations(settings, store, embedder);
    try {
      if (isForRemote && access == Access.LOOK) {
        remote.ifPresent(store.remote()::lookAtAlone);
        ConfiguredRemote.look(settings, store);
      } else {
        opened.addAll(ConfiguredRemote.attach(settings, store, remote, embedder));
      }
    } catch (StartException e) {
      store.close();
      throw e;
    }
    HttpServer http =
        HttpServer.start(
            store,
            metrics,
            new HttpServer.Options(
                "localhost", 0, true, Optional.of(token), false, SHUTDOWN, Version.CURRENT));
    return new LocalService(store, embedder, remote, http, token, opened);
  }

  private static ResilientStore store(
      Settings settings, Path root, Access access, Optional<Embedder> embedder)
      throws StartException {
    StoreOptions options = ConfiguredStore.of(settings, embedder);
    if (access == Access.LOOK) {
      options = options.onlyLooking();
    } else if (root.equals(settings.vectorstorePath())) {
      ConfiguredStore.requireNothingStranded(settings, root, options);
    }
    try {
      return ResilientStore.open(
          root, options, HealthOptions.defaults(), ConfiguredBackups.of(settings));
    } catch (StoreInUseException e) {
      throw new StartException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new StartException(
          "cannot open the store in %s: %s; --path names another folder"
              .formatted(root, e.getMessage()));
    }
  }

  public String address() {
    return "http://localhost:" + http.port();
  }

  public String token() {
    return token;
  }

  /** What opening came to, a line each. */
  public List<String> opened() {
    return List.copyOf(opened);
  }

  /** Why the store is in another state than it was told to be; empty where it is not. */
  public Optional<String> closeFailure() {
    return store.store().closeFailure();
  }

  @Override
  public void close() {
    http.close();
    store.close();
    remote.ifPresent(RemoteStore::close);
    embedder.ifPresent(Embedder::close);
  }
}
