package dev.contextd.server;

import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreInUseException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.HealthOptions;
import dev.contextd.resilience.HealthReport;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.server.http.HttpServer;
import dev.contextd.server.metrics.Metrics;
import dev.contextd.server.settings.Settings;
import io.javalin.util.JavalinException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon from start to stop: opens the store, serves it, and on a signal finishes what is in
 * hand within the shutdown timeout.
 */
final class Daemon {
  private static final Logger log = LoggerFactory.getLogger(Daemon.class);
  private static final int EXIT_FINE = 0;
  private static final int EXIT_FAILED = 1;

  /** Calls in hand get this part of the shutdown timeout; the rest is the store's. */
  private static final int HTTP_SHARE = 2;

  /** Before a message to the webhook is sent a second time. */
  private static final Duration WEBHOOK_PAUSE = Duration.ofSeconds(1);

  private final Settings settings;
  private final Optional<Embedder> embedder;
  private final Optional<RemoteStore> remote;
  private final ResilientStore store;
  private final Optional<HttpServer> http;
  private volatile boolean isClosed;

  private Daemon(
      Settings settings,
      Optional<Embedder> embedder,
      Optional<RemoteStore> remote,
      ResilientStore store,
      Optional<HttpServer> http) {
    this.settings = settings;
    this.embedder = embedder;
    this.remote = remote;
    this.store = store;
    this.http = http;
  }

  /** Runs until a signal comes; returns at once with an exit code where it cannot start. */
  static int run(Settings settings) {
    try {
      Daemon daemon = start(settings);
      Runtime.getRuntime().addShutdownHook(new Thread(daemon::leave, "shutdown"));
      new CountDownLatch(1).await();
      return EXIT_FINE;
    } catch (StartException e) {
      System.err.println("contextd: " + e.getMessage());
      return EXIT_FAILED;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return EXIT_FAILED;
    }
  }

  /** Opens the store and listens. */
  static Daemon start(Settings settings) throws StartException {
    System.out.println("contextd " + Version.CURRENT);
    settings.source().ifPresent(file -> log.info("settings from {}", file));
    if (!settings.passedOver().isEmpty()) {
      log.info("settings without use here, passed over: {}", settings.passedOver());
    }
    if (settings.http()) {
      // The store must not be touched by a daemon that will not be able to serve it.
      requireFreePort(settings);
    }
    Optional<Embedder> embedder = ConfiguredEmbedder.of(settings);
    Optional<RemoteStore> remote = ConfiguredRemote.of(settings, embedder);
    ResilientStore store = open(settings, embedder);
    Metrics metrics = metrics(settings, store);
    HealthReport first = firstCheck(settings, store, metrics);
    Announcement.lines(settings, store.summary(), first.empty()).forEach(System.out::println);
    try {
      Preflight.require(settings, first);
      store.watch();
      ConfiguredRemote.nameForMigrations(settings, store, embedder);
      ConfiguredRemote.attach(settings, store, remote, embedder).forEach(System.out::println);
      Optional<HttpServer> http =
          settings.http()
              ? Optional.of(listen(settings, store, documents(store, remote), metrics))
              : Optional.empty();
      Optional<String> address =
          http.map(server -> "http://" + host(settings) + ":" + server.port());
      address.ifPresent(store.store()::announce);
      System.out.println(
          address.map(reachable -> "listening on " + reachable).orElse("serving no HTTP"));
      return new Daemon(settings, embedder, remote, store, http);
    } catch (StartException e) {
      store.close();
      throw e;
    } catch (JavalinException e) {
      store.close();
      throw new StartException(
          "cannot listen on " + settings.httpHost() + ":" + settings.httpPort() + ": " + reason(e));
    }
  }

  private static DocumentStore documents(ResilientStore store, Optional<RemoteStore> remote) {
    boolean isCalledDirectly = remote.isPresent() && store.remote().sync().isEmpty();
    return isCalledDirectly ? remote.get() : store.documents();
  }

  /** Whoever is to hear of health hears of the first check too. */
  private static HealthReport firstCheck(Settings settings, ResilientStore store, Metrics metrics) {
    store.checker().listen(metrics.health());
    settings
        .health()
        .webhook()
        .map(url -> Webhook.start(url, WEBHOOK_PAUSE, metrics.health()::onDelivery))
        .ifPresent(store.checker()::listen);
    return store.checker().fresh();
  }

  private static ResilientStore open(Settings settings, Optional<Embedder> embedder)
      throws StartException {
    StoreOptions options =
        ConfiguredStore.of(settings, embedder)
            .withPool(new ForkJoinPool(Runtime.getRuntime().availableProcessors()));
    ConfiguredStore.requireNothingStranded(settings, settings.vectorstorePath(), options);
    try {
      return ResilientStore.open(
          settings.vectorstorePath(), options, health(settings), ConfiguredBackups.of(settings));
    } catch (StoreInUseException e) {
      throw new StartException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new StartException(
          "cannot open the store in "
              + settings.vectorstorePath()
              + ": "
              + reason(e)
              + "; it must be a folder that this user can read (--vectorstore-path)");
    }
  }

  private static HealthOptions health(Settings settings) {
    return HealthOptions.defaults()
        .withMaxAge(settings.health().maxAge())
        .withScanInterval(settings.health().scanInterval())
        .withScrub(settings.health().scrubInterval(), settings.health().scrubRate());
  }

  private static Metrics metrics(Settings settings, ResilientStore store) {
    return new Metrics(
        store,
        new Metrics.Options(
            settings.vectorstorePath(),
            settings.tenantRequired(),
            settings.health().scanInterval(),
            Version.CURRENT));
  }

  private static HttpServer listen(
      Settings settings, ResilientStore store, DocumentStore documents, Metrics metrics) {
    return HttpServer.start(
        store,
        documents,
        metrics,
        new HttpServer.Options(
            settings.httpHost(),
            settings.httpPort(),
            settings.isLoopback(),
            settings.token(),
            settings.tenantRequired(),
            settings.shutdownTimeout().dividedBy(HTTP_SHARE),
            Version.CURRENT));
  }

  private static void requireFreePort(Settings settings) throws StartException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(
          new InetSocketAddress(InetAddress.getByName(settings.httpHost()), settings.httpPort()));
    } catch (IOException e) {
      throw new StartException(
          "cannot listen on %s:%d: %s; stop what does, or choose another with --http-port"
              .formatted(settings.httpHost(), settings.httpPort(), e.getMessage()));
    }
  }

  /** Runs as the shutdown hook; the exit code is ours, not the signal's. */
  private void leave() {
    Duration timeout = settings.shutdownTimeout();
    log.info("stopping: finishing the calls in hand, at most {} s", timeout.toSeconds());
    Thread closing = Thread.ofPlatform().name("closing").daemon().start(this::close);
    int exit = EXIT_FINE;
    try {
      if (!closing.join(timeout)) {
        log.error("left after {} s with writes in hand", timeout.toSeconds());
        exit = EXIT_FAILED;
      } else if (!isClosed) {
        log.error("stopping failed halfway; the next start goes on from the journal");
        exit = EXIT_FAILED;
      } else if (store.store().closeFailure().isPresent()) {
        // The store has logged it with all its causes.
        System.err.println(
            "contextd: the journal could not be emptied; nothing is lost, the next start goes on"
                + " from there: "
                + store.store().closeFailure().get());
        exit = EXIT_FAILED;
      } else {
        log.info("stopped");
      }
    } catch (InterruptedException e) {
      exit = EXIT_FAILED;
    }
    System.out.flush();
    System.err.flush();
    Runtime.getRuntime().halt(exit);
  }

  /** The port it listens on; 0 where it serves no HTTP. */
  int port() {
    return http.map(HttpServer::port).orElse(0);
  }

  /** Finishes the calls in hand, within their share of the time, then the writes. */
  void close() {
    http.ifPresent(HttpServer::close);
    store.close();
    remote.ifPresent(RemoteStore::close);
    embedder.ifPresent(Embedder::close);
    isClosed = true;
  }

  private static String host(Settings settings) {
    return settings.httpHost().contains(":")
        ? "[" + settings.httpHost() + "]"
        : settings.httpHost();
  }

  private static String reason(Exception e) {
    if (e instanceof FileSystemException failed && failed.getReason() != null) {
      return failed.getFile() + ": " + failed.getReason();
    }
    return e.getClass().getSimpleName() + ": " + e.getMessage();
  }
}
