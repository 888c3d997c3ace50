package dev.contextd.qdrant.testkit;

import dev.contextd.qdrant.testkit.StoredCollection.Stored;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A Qdrant 1.18 inside the process: a real gRPC server on a free port of 127.0.0.1 that holds
 * everything in memory, and answers as {@code fixtures/qdrant/recorded.jsonl} shows it.
 *
 * <p>It knows collections with the one nameless dense vector, and UUIDs as ids. What it does not
 * know it refuses with UNIMPLEMENTED and the words "the fake Qdrant knows no ...".
 *
 * <p>Unlike the real one it has applied a write when it acknowledges it, whether the client waits
 * or not.
 *
 * <p>Invariants: the port stays the same from the first start to the end; what is held survives
 * {@link #stop()} and {@link #start()}. All methods may be called from any thread.
 */
public final class FakeQdrant implements AutoCloseable {
  private static final int STOP_SECONDS = 10;

  private final Memory memory = new Memory();
  private final Gate gate;
  private final Optional<SslContext> tls;
  private @Nullable Server server;
  private int port;

  private FakeQdrant(Optional<String> key, Optional<SslContext> tls) {
    this.gate = new Gate(key);
    this.tls = tls;
  }

  /** A server that is started and asks for no key. */
  public static FakeQdrant open() {
    FakeQdrant qdrant = new FakeQdrant(Optional.empty(), Optional.empty());
    qdrant.start();
    return qdrant;
  }

  /**
   * A server that is started and answers UNAUTHENTICATED to whoever does not send this key in the
   * header {@code api-key}; health checks need none.
   */
  public static FakeQdrant withKey(String key) {
    FakeQdrant qdrant = new FakeQdrant(Optional.of(key), Optional.empty());
    qdrant.start();
    return qdrant;
  }

  /** A server that is started and speaks TLS alone, with this certificate. */
  public static FakeQdrant withTls(PrivateKey key, X509Certificate certificate)
      throws SSLException {
    SslContext tls =
        GrpcSslContexts.configure(SslContextBuilder.forServer(key, certificate)).build();
    FakeQdrant qdrant = new FakeQdrant(Optional.empty(), Optional.of(tls));
    qdrant.start();
    return qdrant;
  }

  /** The port on 127.0.0.1, the same for the whole life of this server. */
  public synchronized int port() {
    return port;
  }

  /** Starts the server on its port; does nothing if it runs. */
  public synchronized void start() {
    if (server != null) {
      return;
    }
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    NettyServerBuilder builder = NettyServerBuilder.forAddress(address);
    tls.ifPresent(builder::sslContext);
    Server starting =
        builder
            .addService(new FakeHealth.OfQdrant())
            .addService(new FakeHealth.OfGrpc())
            .addService(new FakeCollections(memory))
            .addService(new FakePoints(memory))
            .intercept(gate)
            // As the real one: no limit of its own, and no client that pings too often.
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .permitKeepAliveTime(1, TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true)
            .build();
    try {
      starting.start();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on " + address, e);
    }
    server = starting;
    port = starting.getPort();
  }

  /** Stops the server at once, as a kill does: calls under way are cut off. */
  public synchronized void stop() {
    if (server == null) {
      return;
    }
    try {
      if (!server.shutdownNow().awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("still running after " + STOP_SECONDS + " seconds");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the server stopped", e);
    }
    server = null;
  }

  @Override
  public void close() {
    stop();
  }

  /** The names of the collections, sorted. */
  public List<String> collections() {
    return memory.locked(memory::names);
  }

  /**
   * The points of a collection, sorted by id.
   *
   * @throws io.grpc.StatusRuntimeException NOT_FOUND if there is no such collection
   */
  public List<Point> points(String collection) {
    return memory.locked(() ->
        memory.collection(collection).matching(point -> true).stream().map(Stored::point).toList());
  }

  /**
   * Puts a point as somebody else would, checked and brought to length one like any other. It is no
   * call, and {@link #forgetLast} does not undo it.
   *
   * @throws io.grpc.StatusRuntimeException as an upsert over the wire would
   */
  public void put(String collection, Point point) {
    memory.locked(() -> {
      StoredCollection target = memory.collection(collection);
      String uuid = Ids.canonical(point.uuid());
      Point admitted = new Point(uuid, point.payload(), target.admitted(point.vector()));
      target.set(admitted, target.nextOperation());
      return uuid;
    });
  }

  /**
   * Removes a point as somebody else would, if it is there. It is no call, and {@link #forgetLast}
   * does not undo it.
   *
   * @throws io.grpc.StatusRuntimeException NOT_FOUND if there is no such collection
   */
  public void remove(String collection, String uuid) {
    memory.locked(() -> {
      StoredCollection target = memory.collection(collection);
      target.remove(Ids.canonical(uuid));
      return target.nextOperation();
    });
  }

  /**
   * Undoes the last acknowledged writes of points, as a server that lost them in a crash. A write
   * is one call (upsert, delete, set payload) whatever number of points it wrote; only the last
   * 10,000 can be undone, and asking for more undoes all of these.
   */
  public void forgetLast(int writes) {
    memory.locked(() -> {
      memory.forgetLast(writes);
      return writes;
    });
  }

  /** How many calls have arrived, those that were refused among them. */
  public long calls() {
    return gate.calls();
  }

  /**
   * How many calls of one method have arrived.
   *
   * @param method the full name, for example {@code qdrant.Points/Upsert}
   */
  public long calls(String method) {
    return gate.calls(method);
  }

  /**
   * Something that happens between two calls of a client: it runs once, before the next call of a
   * method is answered.
   *
   * @param method the full name, for example {@code qdrant.Points/Upsert}
   */
  public void beforeNext(String method, Runnable action) {
    gate.beforeNext(method, action);
  }
}
