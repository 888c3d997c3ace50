package dev.contextd.embeddings;

import dev.contextd.engine.EmbeddedText;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One call's texts on their way through the workers that all calls share.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>A batch has at most as many lanes as there are workers, each with one text in hand, and
 *       goes to the end of the workers' queue after each text. So the queue is no longer than lanes
 *       times callers, and a short batch passes a long one.
 *   <li>Each text is taken once, because the next index is drawn atomically.
 *   <li>After the first failure, or once abandoned, no further text is begun.
 * </ul>
 */
final class LocalBatch {

  /** The work on one text. */
  @FunctionalInterface
  interface Work {
    EmbeddedText embed(int index, String text) throws Exception;
  }

  private final List<String> texts;
  private final Work work;
  private final Executor workers;
  private final @Nullable EmbeddedText[] results;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger finished = new AtomicInteger();
  private final CompletableFuture<List<EmbeddedText>> outcome = new CompletableFuture<>();

  LocalBatch(List<String> texts, Work work, Executor workers) {
    this.texts = texts;
    this.work = work;
    this.workers = workers;
    this.results = new EmbeddedText[texts.size()];
  }

  /** Begins the work; the future holds the vectors in the order of the texts. */
  CompletableFuture<List<EmbeddedText>> start(int lanes) {
    for (int i = 0; i < Math.min(lanes, texts.size()); i++) {
      enqueue();
    }
    return outcome;
  }

  /** Begins no further text: nobody waits for them any more. */
  void abandon() {
    outcome.cancel(false);
  }

  private void enqueue() {
    try {
      workers.execute(this::embedNext);
    } catch (RuntimeException e) { // the workers were shut down
      outcome.completeExceptionally(e);
    }
  }

  private void embedNext() {
    int index = next.getAndIncrement();
    if (index >= texts.size() || outcome.isDone()) {
      return;
    }
    try {
      results[index] = work.embed(index, texts.get(index));
    } catch (Throwable e) { // an Error too: the caller waits for an outcome
      outcome.completeExceptionally(e);
      return;
    }
    if (finished.incrementAndGet() == texts.size()) {
      outcome.complete(inOrder());
    } else {
      enqueue();
    }
  }

  @SuppressWarnings("NullAway") // each result was written before the last one was counted
  private List<EmbeddedText> inOrder() {
    return Arrays.asList(results);
  }
}
