package dev.contextd.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreException;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.server.metrics.HttpMetrics;
import dev.contextd.server.metrics.Metrics;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.json.JavalinJackson;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server: the gate, the routes, and problems for everything that fails.
 *
 * <p>Invariants: no call reaches a route past the {@link Gatekeeper}; every answer that is no
 * success is {@code application/problem+json}, what Jetty refuses included.
 */
public final class HttpServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HttpServer.class);
  private static final int MAX_HEADER_BYTES = 16 << 10;
  private static final int IDLE_MILLISECONDS = 60_000;

  private final Javalin javalin;
  private final GracefulHandler inHand = new GracefulHandler();
  private final Duration shutdownTimeout;
  private final List<Route> routes;
  private volatile boolean ready = true;

  /**
   * What the server needs to know.
   *
   * @param loopback whether only this machine can reach the host
   * @param tenantRequired whether a call without a tenant is refused
   * @param shutdownTimeout how long calls in hand may take to finish
   */
  public record Options(
      String host,
      int port,
      boolean loopback,
      Optional<String> token,
      boolean tenantRequired,
      Duration shutdownTimeout,
      String version) {}

  private HttpServer(
      ResilientStore store, DocumentStore documents, Metrics metrics, Options options) {
    this.shutdownTimeout = options.shutdownTimeout();
    Tenants tenants = new Tenants(options.tenantRequired());
    Bodies bodies = new Bodies();
    this.routes = new ArrayList<>();
    Gatekeeper gatekeeper = new Gatekeeper(options.host(), options.loopback(), options.token());
    routes.addAll(new CollectionRoutes(documents, store, tenants, bodies).routes());
    routes.addAll(new DocumentRoutes(documents, tenants, bodies).routes());
    routes.addAll(new QueryRoute(documents, tenants, bodies).routes());
    routes.addAll(new HealthRoutes(store, gatekeeper, tenants).routes());
    boolean isRemote = store.remote().sync().isPresent() || documents instanceof RemoteStore;
    String provider = isRemote ? "qdrant" : "chromem";
    routes.addAll(
        new OperatorRoutes(store, documents, tenants, options.version(), provider, () -> ready)
            .routes());
    routes.add(new Route(HandlerType.GET, "/metrics", call -> scrape(call, metrics)));
    routes.addAll(new AdminRoutes(store, gatekeeper, tenants, bodies).routes());
    this.javalin =
        Javalin.create(config -> {
          configure(config);
          config.jetty.modifyServer(server -> server.setRequestLog(metrics.http()));
          config.routes.before(gatekeeper::check);
          for (Route route : routes) {
            config.routes.addHttpHandler(route.method(), route.path(), counted(route, metrics));
            if (route.method().equals(HandlerType.GET)) {
              // Javalin's own answer to HEAD is 200 whatever GET would say.
              Route head = new Route(HandlerType.HEAD, route.path(), route.handler());
              config.routes.addHttpHandler(head.method(), head.path(), counted(head, metrics));
            }
          }
          mapProblems(config);
        });
  }

  /**
   * Starts listening.
   *
   * @throws io.javalin.util.JavalinException where the port is taken or the host is not ours
   */
  public static HttpServer start(ResilientStore store, Metrics metrics, Options options) {
    return start(store, store.documents(), metrics, options);
  }

  /**
   * As {@link #start(ResilientStore, Metrics, Options)}.
   *
   * @param documents what callers of the data API work on
   */
  public static HttpServer start(
      ResilientStore store, DocumentStore documents, Metrics metrics, Options options) {
    HttpServer server = new HttpServer(store, documents, metrics, options);
    server.javalin.start(options.host(), options.port());
    return server;
  }

  private static Handler counted(Route route, Metrics metrics) {
    HttpMetrics.Series series = metrics.http().series(route.method().name(), route.path());
    Handler handler =
        route.isReading()
            ? route.handler()
            : call ->
                ResilientStore.acting(
                    Callers.name(call),
                    () -> {
                      route.handler().handle(call);
                      return true;
                    });
    return call -> {
      call.req().setAttribute(HttpMetrics.SERIES, series);
      handler.handle(call);
    };
  }

  private static void scrape(Context call, Metrics metrics) {
    Metrics.Scrape scrape = metrics.scrape(call.header("Accept"));
    call.contentType(scrape.contentType()).result(scrape.body());
  }

  public int port() {
    return javalin.port();
  }

  /** What is served, as {@code METHOD /path}. */
  List<String> routes() {
    return routes.stream().map(route -> route.method() + " " + route.path()).toList();
  }

  /** Takes no new calls and waits for those in hand, at most the shutdown timeout. */
  @Override
  public void close() {
    ready = false;
    try {
      // Jetty's own stop would also wait for idle connections, which have nothing in hand.
      inHand.shutdown().get(shutdownTimeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.warn("stopping with calls in hand after {} s", shutdownTimeout.toSeconds());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    javalin.stop();
  }

  private void configure(JavalinConfig config) {
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.concurrency.useVirtualThreads = true;
    config.http.maxRequestSize = Bodies.MAX_BYTES;
    config.http.prefer405over404 = true;
    config.http.generateEtags = false;
    config.router.caseInsensitiveRoutes = false;
    config.router.ignoreTrailingSlashes = false;
    config.router.javaLangErrorHandler(HttpServer::answerError);
    config.jsonMapper(new JavalinJackson(Json.MAPPER, true));
    config.jetty.modifyHttpConfiguration(HttpServer::configureHttp);
    config.jetty.modifyServer(server -> {
      server.setErrorHandler(new JettyProblems(() -> ready));
      server.insertHandler(inHand);
    });
    config.jetty.modifyServletContextHandler(context -> {
      context.getServletHandler().setDecodeAmbiguousURIs(true);
      context.setErrorHandler(new JettyProblems(() -> ready));
    });
  }

  /** Ids may hold a percent-encoded slash; no path here is a file's. */
  private static void configureHttp(HttpConfiguration http) {
    http.setUriCompliance(UriCompliance.UNSAFE);
    http.setRequestHeaderSize(MAX_HEADER_BYTES);
    http.setSendServerVersion(false);
    http.setIdleTimeout(IDLE_MILLISECONDS);
  }

  private static void mapProblems(JavalinConfig config) {
    config.routes.exception(
        ProblemException.class, (e, call) -> answer(call, e.code(), e.detail()));
    config.routes.exception(
        StoreException.class,
        (e, call) -> {
          ProblemCode code = ProblemCode.of(e.code());
          if (code.status() >= 500) {
            // A remote store that is away is no riddle.
            boolean isPlain = e.code() == ErrorCode.REMOTE_UNAVAILABLE;
            log.warn(
                "{} {}: {}",
                call.method(),
                call.path(),
                e.getMessage(),
                isPlain ? null : e.getCause());
          }
          answer(call, code, String.valueOf(e.getMessage()));
        });
    config.routes.exception(
        HttpResponseException.class,
        (e, call) -> {
          ProblemCode code = ProblemCode.ofStatus(e.getStatus());
          String allowed = e.getDetails().get("availableMethods");
          if (allowed != null) {
            call.header("Allow", allowed);
          }
          answer(call, code, call.method() + " " + call.path() + " is not served");
        });
    config.routes.exception(
        Exception.class,
        (e, call) -> {
          log.error("{} {} failed", call.method(), call.path(), e);
          answer(call, ProblemCode.INTERNAL, "the daemon's log tells more");
        });
  }

  /** What Javalin maps to no exception handler: the heap is full, or a class does not load. */
  private static void answerError(HttpServletResponse response, Error error) {
    log.error("a call failed", error);
    ProblemCode code =
        error instanceof OutOfMemoryError ? ProblemCode.OUT_OF_MEMORY : ProblemCode.INTERNAL;
    response.setStatus(code.status());
    response.setContentType(Problem.CONTENT_TYPE);
    try {
      response
          .getOutputStream()
          .write(problem(code, code.status(), "the daemon's log tells more", ""));
    } catch (IOException e) {
      log.debug("the caller has left: {}", e.toString());
    }
  }

  private static void answer(Context call, ProblemCode code, String detail) {
    if (LateBody.isComing(call)) {
      LateBody.refuse(call, code, detail);
      return;
    }
    call.status(code.status());
    call.contentType(Problem.CONTENT_TYPE);
    call.result(problem(code, code.status(), detail, call.path()));
  }

  /**
   * @param status of the answer; what Jetty refuses may have another than the code's own
   */
  static byte[] problem(ProblemCode code, int status, String detail, String path) {
    try {
      return Json.MAPPER.writeValueAsBytes(Problem.of(code, status, detail, path));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of strings is always JSON", e);
    }
  }
}
