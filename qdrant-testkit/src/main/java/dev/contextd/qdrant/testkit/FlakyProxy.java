package dev.contextd.qdrant.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A TCP proxy on a free port of 127.0.0.1 that breaks connections on demand: an outage on a real
 * socket. Before it and behind it gRPC is spoken, without TLS.
 *
 * <p>Invariants: the port stays the same through all modes; a mode holds for the connections that
 * are open as well as for new ones, from the next bytes on. All methods may be called from any
 * thread.
 */
public final class FlakyProxy implements AutoCloseable {
  /** What happens to the bytes. */
  public enum Mode {
    /** All bytes pass. */
    PASS,
    /** Nobody listens on the port, and the connections that were open are reset. */
    REFUSE,
    /**
     * Connections are accepted, and bytes are held in both directions, as behind a cable that was
     * pulled. When the mode changes they go on: a request whose client gave up may still arrive.
     */
    HANG,
    /**
     * A connection is reset amid its transfer, at the next byte from a client or where {@link
     * #resetAfterBytes} says. It happens once; then the mode is {@link #PASS}.
     */
    RESET,
    /** Every chunk of at most 8 KiB waits before it passes, see {@link #slow}. */
    SLOW,
    /**
     * Requests reach the server, and where an answer begins the connection is reset instead: the
     * call was done, and the client cannot know. What HTTP/2 says about the connection itself
     * passes, so this holds for requests of any size and on new connections too.
     */
    LOSE_ANSWERS
  }

  private static final Duration DEFAULT_DELAY = Duration.ofMillis(100);

  /**
   * A mode, and which change of mode it came with.
   *
   * @param delay of each chunk, if the mode is SLOW
   */
  private record Behaviour(Mode mode, Duration delay, long change) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Set<FlakyConnection> connections = ConcurrentHashMap.newKeySet();
  private final int targetPort;
  private final int port;
  private ServerSocket listener;
  private Behaviour behaviour = new Behaviour(Mode.PASS, DEFAULT_DELAY, 0);
  private long bytesUntilReset;
  private boolean closed;

  private FlakyProxy(int targetPort) throws IOException {
    this.targetPort = targetPort;
    this.listener = listen(0);
    this.port = listener.getLocalPort();
  }

  /** A proxy that passes everything to this port of 127.0.0.1, until told otherwise. */
  public static FlakyProxy before(int targetPort) {
    try {
      return new FlakyProxy(targetPort);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on a free port", e);
    }
  }

  /** The port on 127.0.0.1 to which clients connect, the same through all modes. */
  public int port() {
    return port;
  }

  /** Changes the mode, also of the connections that are open. */
  public void mode(Mode mode) {
    change(mode, DEFAULT_DELAY, 0);
  }

  /** Mode SLOW, with this delay of every chunk. */
  public void slow(Duration delayOfChunk) {
    change(Mode.SLOW, delayOfChunk, 0);
  }

  /**
   * Mode RESET: of the bytes that clients send from now on so many pass, counted over all
   * connections; then the connection that sent the last one is reset.
   */
  public void resetAfterBytes(long bytes) {
    change(Mode.RESET, DEFAULT_DELAY, bytes);
  }

  /** Stops listening, and resets what is open. */
  @Override
  public void close() {
    lock.lock();
    try {
      refuse();
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  private void change(Mode mode, Duration delay, long bytes) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the proxy is closed");
      }
      if (mode == Mode.REFUSE) {
        refuse();
        return;
      }
      bytesUntilReset = bytes;
      become(mode, delay);
      if (listener.isClosed()) {
        listener = listen(port);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on port " + port + " again", e);
    } finally {
      lock.unlock();
    }
  }

  private void refuse() {
    become(Mode.REFUSE, DEFAULT_DELAY);
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot stop listening on port " + port, e);
    }
    connections.forEach(FlakyConnection::reset);
  }

  private void become(Mode mode, Duration delay) {
    behaviour = new Behaviour(mode, delay, behaviour.change() + 1);
    changed.signalAll();
  }

  private ServerSocket listen(int wanted) throws IOException {
    ServerSocket socket = new ServerSocket();
    // Otherwise connections that were closed a minute ago keep the port.
    socket.setReuseAddress(true);
    socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted));
    Thread.ofVirtual().name("flaky-proxy-accept").start(() -> acceptAll(socket));
    return socket;
  }

  private void acceptAll(ServerSocket socket) {
    try {
      while (true) {
        admit(socket.accept());
      }
    } catch (IOException e) {
      // The socket was closed: that is how this loop ends.
    }
  }

  private void admit(Socket client) {
    FlakyConnection connection = new FlakyConnection(this, client);
    lock.lock();
    try {
      // Accepted just before the port was closed.
      if (behaviour.mode() == Mode.REFUSE) {
        connection.reset();
        return;
      }
      connections.add(connection);
    } finally {
      lock.unlock();
    }
    connection.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort));
  }

  void ended(FlakyConnection connection) {
    connections.remove(connection);
  }

  /** Waits as long as SLOW wants and while the mode is HANG; gives the mode after that. */
  Mode awaitTurn() throws InterruptedException {
    lock.lock();
    try {
      Behaviour first = behaviour;
      if (first.mode() == Mode.SLOW) {
        long left = first.delay().toNanos();
        while (left > 0 && behaviour.change() == first.change()) {
          left = changed.awaitNanos(left);
        }
      }
      while (behaviour.mode() == Mode.HANG) {
        changed.await();
      }
      return behaviour.mode();
    } finally {
      lock.unlock();
    }
  }

  /** Takes bytes from a client off the number that may pass before the reset. */
  int allowedBeforeReset(int bytes) {
    lock.lock();
    try {
      if (behaviour.mode() != Mode.RESET) {
        return bytes;
      }
      int allowed = (int) Math.min(bytes, bytesUntilReset);
      bytesUntilReset -= allowed;
      return allowed;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the bytes are used up: true for one caller only, whose connection is to be reset. */
  boolean resetIsDue() {
    lock.lock();
    try {
      boolean due = behaviour.mode() == Mode.RESET && bytesUntilReset == 0;
      if (due) {
        become(Mode.PASS, DEFAULT_DELAY);
      }
      return due;
    } finally {
      lock.unlock();
    }
  }
}
