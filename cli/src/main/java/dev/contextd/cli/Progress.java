package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A line on a terminal's standard error that tells how far a call in hand is. */
final class Progress implements AutoCloseable {
  private static final long EVERY_MILLIS = 500;
  private static final int WIDTH = 30;
  private static final double MEGA = 1e6;

  private final CountDownLatch end = new CountDownLatch(1);
  private final Calls calls;
  private final Source source;
  private final Thread thread;

  /** Where a call's progress is read: the path, where in the answer, and what it counts. */
  enum Source {
    SCRUB("/api/v1/admin/scrub", "", "bytes", MEGA, "MB verified"),
    BACKUP("/api/v1/admin/backups", "/progress", "documents", 1, "documents"),
    MIGRATION("/api/v1/admin/migrate", "", "documents", 1, "documents");

    private final String path;
    private final String at;
    private final String counts;
    private final double per;
    private final String shown;

    Source(String path, String at, String counts, double per, String shown) {
      this.path = path;
      this.at = at;
      this.counts = counts;
      this.per = per;
      this.shown = shown;
    }
  }

  private Progress(Calls calls, Source source) {
    this.calls = calls;
    this.source = source;
    this.thread = Thread.ofPlatform().daemon().name("progress").unstarted(this::loop);
  }

  static Progress start(Calls calls, Source source) {
    Progress progress = new Progress(calls, source);
    if (Screen.isTerminal()) {
      progress.thread.start();
    }
    return progress;
  }

  private void loop() {
    try {
      while (!end.await(EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
        JsonNode progress = calls.get(source.path).at(source.at);
        show(
            progress.path("done_" + source.counts).asDouble() / source.per,
            progress.path("total_" + source.counts).asDouble() / source.per);
      }
    } catch (InterruptedException | CliException e) {
      // The command itself says what is wrong.
    }
    System.err.print("\r\u001b[K");
  }

  private void show(double done, double total) {
    StringBuilder line = new StringBuilder("\r");
    if (total > 0) {
      int filled = (int) Math.min(WIDTH, Math.round(WIDTH * done / total));
      line.append('[').append("#".repeat(filled)).append(" ".repeat(WIDTH - filled)).append("] ");
    }
    line.append("%.0f of %.0f %s".formatted(done, total, source.shown));
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
