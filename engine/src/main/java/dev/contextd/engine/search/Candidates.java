package dev.contextd.engine.search;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * The rows one worker has met that may belong to the answer: every row whose score was within the
 * margin of the k-th best met so far.
 *
 * <p>Invariants: {@link #best} holds the {@code min(k, seen)} best scores as a heap, the least of
 * them on top; {@link #cut} never falls.
 */
final class Candidates {
  private static final int INITIAL_ROWS = 64;

  private final int limit;
  private final float margin;
  private float[] best;
  private int bestCount;
  private Row[] rows = new Row[INITIAL_ROWS];
  private float[] scores = new float[INITIAL_ROWS];
  private int count;
  private float cut = Float.NEGATIVE_INFINITY;

  Candidates(int limit, float margin) {
    this.limit = limit;
    this.margin = margin;
    this.best = new float[Math.min(limit, INITIAL_ROWS)];
  }

  /** The least score that is still of interest. */
  float cut() {
    return cut;
  }

  void add(Row row, float score) {
    if (count == rows.length) {
      rows = Arrays.copyOf(rows, count * 2);
      scores = Arrays.copyOf(scores, count * 2);
    }
    rows[count] = row;
    scores[count++] = score;
    if (bestCount < limit) {
      push(score);
      if (bestCount == limit) {
        cut = best[0] - margin;
      }
    } else if (score > best[0]) {
      best[0] = score;
      sink(best, limit);
      cut = best[0] - margin;
    }
  }

  void forEachAbove(float least, Consumer<Row> action) {
    for (int i = 0; i < count; i++) {
      if (scores[i] >= least) {
        action.accept(rows[i]);
      }
    }
  }

  /** The k-th best score of all workers together; minus infinity where there are fewer. */
  static float merge(List<Candidates> workers, int limit) {
    int total = workers.stream().mapToInt(worker -> worker.bestCount).sum();
    if (total < limit) {
      return Float.NEGATIVE_INFINITY;
    }
    float[] all = new float[total];
    int at = 0;
    for (Candidates worker : workers) {
      System.arraycopy(worker.best, 0, all, at, worker.bestCount);
      at += worker.bestCount;
    }
    Arrays.sort(all);
    return all[total - limit];
  }

  private void push(float score) {
    if (bestCount == best.length) {
      best = Arrays.copyOf(best, Math.min(limit, bestCount * 2));
    }
    int i = bestCount++;
    while (i > 0 && best[(i - 1) >> 1] > score) {
      best[i] = best[(i - 1) >> 1];
      i = (i - 1) >> 1;
    }
    best[i] = score;
  }

  private static void sink(float[] heap, int size) {
    float score = heap[0];
    int i = 0;
    for (int child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= score) {
        break;
      }
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = score;
  }
}
