package dev.contextd.qdrant.testkit;

import dev.contextd.qdrant.testkit.FlakyProxy.Behaviour;
import dev.contextd.qdrant.testkit.FlakyProxy.Mode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One connection through the proxy: a socket to the client, one to the server, and a thread for
 * each direction that asks the proxy what to do with every chunk.
 *
 * <p>Invariant: both sockets end together.
 */
final class FlakyConnection {
  private static final int CHUNK_BYTES = 8 * 1024;

  /** How long a server whose answer gets lost has to do what it was asked for. */
  private static final Duration UNTIL_LOST = Duration.ofMillis(200);

  private static final long NEVER = -1;

  private final FlakyProxy proxy;
  private final Socket client;
  private final Socket server = new Socket();
  private final AtomicBoolean losing = new AtomicBoolean();

  /** The change of mode after which the client was last heard. */
  private volatile long clientSpokeIn = NEVER;

  FlakyConnection(FlakyProxy proxy, Socket client) {
    this.proxy = proxy;
    this.client = client;
  }

  void start(SocketAddress target) {
    Thread.ofVirtual()
        .name("flaky-proxy-to-server")
        .start(
            () ->
                untilEnd(
                    () -> {
                      proxy.awaitTurn();
                      server.connect(target);
                      Thread.ofVirtual()
                          .name("flaky-proxy-to-client")
                          .start(() -> untilEnd(this::passAnswers));
                      passRequests();
                    }));
  }

  /** Ends the connection so that the client sees a reset. */
  void reset() {
    try {
      // Closing with a linger of zero sends RST in place of FIN.
      client.setSoLinger(true, 0);
    } catch (IOException e) {
      // Closed already, by whichever side was first.
    }
    close();
  }

  private interface Direction {
    void pass() throws IOException, InterruptedException;
  }

  private void untilEnd(Direction direction) {
    try {
      direction.pass();
      close();
    } catch (IOException e) {
      // One side was reset or could not be reached: the other one sees a reset too.
      reset();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      reset();
    }
  }

  private void passRequests() throws IOException, InterruptedException {
    InputStream in = client.getInputStream();
    OutputStream out = server.getOutputStream();
    byte[] chunk = new byte[CHUNK_BYTES];
    for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
      Behaviour behaviour = proxy.awaitTurn();
      clientSpokeIn = behaviour.change();
      out.write(chunk, 0, proxy.allowedBeforeReset(read));
      if (proxy.resetIsDue()) {
        reset();
        return;
      }
    }
    proxy.awaitTurn();
  }

  private void passAnswers() throws IOException, InterruptedException {
    InputStream in = server.getInputStream();
    OutputStream out = client.getOutputStream();
    byte[] chunk = new byte[CHUNK_BYTES];
    for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
      Behaviour behaviour = proxy.awaitTurn();
      if (isAnswerToLose(behaviour)) {
        resetSoon();
      } else {
        out.write(chunk, 0, read);
      }
    }
    // A connection that ends is not seen either while everything hangs.
    proxy.awaitTurn();
  }

  /** What the server says before the client has spoken in this mode answers nothing. */
  private boolean isAnswerToLose(Behaviour behaviour) {
    return losing.get()
        || (behaviour.mode() == Mode.LOSE_ANSWERS && clientSpokeIn == behaviour.change());
  }

  private void resetSoon() {
    if (losing.compareAndSet(false, true)) {
      Thread.ofVirtual()
          .name("flaky-proxy-reset")
          .start(
              () ->
                  untilEnd(
                      () -> {
                        Thread.sleep(UNTIL_LOST);
                        reset();
                      }));
    }
  }

  private void close() {
    try (client;
        server) {
      proxy.ended(this);
    } catch (IOException e) {
      // There is nothing left that could be closed.
    }
  }
}
