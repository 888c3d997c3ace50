package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A line on a terminal's standard error that tells how far a scrub is. */
final class Progress implements AutoCloseable {
  private static final long EVERY_MILLIS = 500;
  private static final int WIDTH = 30;
  private static final double MEGA = 1e6;

  private final CountDownLatch end = new CountDownLatch(1);
  private final Calls calls;
  private final Thread thread;

  private Progress(Calls calls) {
    this.calls = calls;
    this.thread = Thread.ofPlatform().daemon().name("progress").unstarted(this::loop);
  }

  static Progress start(Calls calls) {
    Progress progress = new Progress(calls);
    if (Screen.isTerminal()) {
      progress.thread.start();
    }
    return progress;
  }

  private void loop() {
    try {
      while (!end.await(EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
        JsonNode progress = calls.get("/api/v1/admin/scrub");
        show(progress.path("done_bytes").asDouble(), progress.path("total_bytes").asDouble());
      }
    } catch (InterruptedException | CliException e) {
      // The command itself says what is wrong.
    }
    System.err.print("\r\u001b[K");
  }

  private static void show(double done, double total) {
    StringBuilder line = new StringBuilder("\r");
    if (total > 0) {
      int filled = (int) Math.min(WIDTH, Math.round(WIDTH * done / total));
      line.append('[').append("#".repeat(filled)).append(" ".repeat(WIDTH - filled)).append("] ");
    }
    line.append("%.0f of %.0f MB verified".formatted(done / MEGA, total / MEGA));
    System.err.print(line.append("\u001b[K"));
  }

  void end() {
    end.countDown();
  }

  @Override
  public void close() {
    end();
    try {
      if (thread.isAlive()) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
