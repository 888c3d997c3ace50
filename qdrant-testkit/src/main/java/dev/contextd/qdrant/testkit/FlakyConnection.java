package dev.contextd.qdrant.testkit;

import dev.contextd.qdrant.testkit.FlakyProxy.Mode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;

/**
 * One connection through the proxy: a socket to the client, one to the server, and a thread for
 * each direction that asks the proxy what to do with every chunk.
 *
 * <p>Invariant: both sockets end together.
 */
final class FlakyConnection {
  private static final int CHUNK_BYTES = 8 * 1024;

  private final FlakyProxy proxy;
  private final Socket client;
  private final Socket server = new Socket();

  FlakyConnection(FlakyProxy proxy, Socket client) {
    this.proxy = proxy;
    this.client = client;
  }

  void start(SocketAddress target) {
    Thread.ofVirtual()
        .name("flaky-proxy-to-server")
        .start(() ->
            untilEnd(() -> {
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
      proxy.awaitTurn();
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
    AnswerScanner scanner = new AnswerScanner();
    byte[] chunk = new byte[CHUNK_BYTES];
    for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
      int answer = scanner.firstAnswer(chunk, read);
      Mode mode = proxy.awaitTurn();
      if (mode == Mode.LOSE_ANSWERS && answer != AnswerScanner.NONE) {
        reset();
        return;
      }
      out.write(chunk, 0, read);
    }
    // A connection that ends is not seen either while everything hangs.
    proxy.awaitTurn();
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
