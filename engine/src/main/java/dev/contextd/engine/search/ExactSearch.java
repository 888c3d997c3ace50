package dev.contextd.engine.search;

import dev.contextd.engine.Filter;
import dev.contextd.engine.TextFilter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Exact top-k by cosine similarity: a scan in single precision that keeps every row which could
 * belong to the answer, and a ranking of those in double precision.
 *
 * <p>Why it is exact: each scanned score lies within {@link DotKernel#errorBound} {@code e} of the
 * true one. Let {@code t} be the k-th best scanned score. At least k rows have a true score of
 * {@code t - e} or more, so a row scanned below {@code t - 2e} is not among the k best. All others
 * are ranked by their true score, ties by id. The answer is therefore the same on every machine and
 * with every kernel.
 */
public final class ExactSearch {
  /** Rows scored in one go; 4 KiB of scores stay in the first-level cache. */
  private static final int BLOCK_ROWS = 1_024;

  /** Below this many floats a second thread costs more than it brings. */
  private static final long PARALLEL_FLOATS = 1L << 20;

  private static final Comparator<Ranked> BEST_FIRST =
      Comparator.comparingDouble(Ranked::score)
          .reversed()
          .thenComparing(ranked -> ranked.row().id(), IdOrder.COMPARATOR);

  private final DotKernel kernel;
  private final ForkJoinPool pool;

  public ExactSearch(DotKernel kernel, ForkJoinPool pool) {
    this.kernel = kernel;
    this.pool = pool;
  }

  /** A row and its true score. */
  public record Ranked(Row row, double score) {}

  /** Which rows may be found: metadata first, then the content. */
  public record Restriction(Optional<Filter> metadata, Optional<TextFilter> content) {}

  /**
   * Finds the best rows.
   *
   * @param query {@code float[dimension]}, finite, not zero, of any length
   */
  public List<Ranked> search(Snapshot snapshot, float[] query, int limit, Restriction restriction) {
    if (snapshot.count() == 0) {
      return List.of();
    }
    double norm = Vectors.norm(query);
    int stride = DotKernel.stride(query.length);
    float[] unit = Arrays.copyOf(Vectors.scaled(query, norm), stride);
    List<Candidates> found = scan(snapshot, unit, limit, restriction);
    float cut = Candidates.merge(found, limit) - 2 * DotKernel.errorBound(stride);
    List<Ranked> ranked = new ArrayList<>();
    for (Candidates candidates : found) {
      candidates.forEachAbove(
          cut, row -> ranked.add(new Ranked(row, Vectors.cosine(query, norm, row.embedding()))));
    }
    ranked.sort(BEST_FIRST);
    return ranked.size() <= limit ? ranked : List.copyOf(ranked.subList(0, limit));
  }

  private List<Candidates> scan(
      Snapshot snapshot, float[] unit, int limit, Restriction restriction) {
    int chunks = snapshot.chunks().size();
    long floats = (long) snapshot.count() * unit.length;
    int workers = floats < PARALLEL_FLOATS ? 1 : Math.min(pool.getParallelism(), chunks);
    AtomicInteger next = new AtomicInteger();
    List<ForkJoinTask<Candidates>> forked = new ArrayList<>();
    for (int i = 1; i < workers; i++) {
      forked.add(pool.submit(() -> new Scan(snapshot, unit, limit, restriction).run(next)));
    }
    List<Candidates> found = new ArrayList<>();
    found.add(new Scan(snapshot, unit, limit, restriction).run(next));
    // A helper that has not begun by now would find nothing to do.
    forked.stream().filter(task -> !task.tryUnfork()).forEach(task -> found.add(task.join()));
    return found;
  }

  /** One worker's part: whole chunks, taken one after another. */
  private final class Scan {
    private final Snapshot snapshot;
    private final float[] unit;
    private final Restriction restriction;
    private final Candidates candidates;
    private final float[] scores = new float[BLOCK_ROWS];

    Scan(Snapshot snapshot, float[] unit, int limit, Restriction restriction) {
      this.snapshot = snapshot;
      this.unit = unit;
      this.restriction = restriction;
      this.candidates = new Candidates(limit, 2 * DotKernel.errorBound(unit.length));
    }

    Candidates run(AtomicInteger next) {
      int chunks = snapshot.chunks().size();
      for (int c = next.getAndIncrement(); c < chunks; c = next.getAndIncrement()) {
        if (restriction.metadata().isPresent()) {
          scanMatching(c, snapshot.living(c, restriction.metadata().get()));
        } else {
          scanAll(c);
        }
      }
      return candidates;
    }

    private void scanAll(int index) {
      RowChunk chunk = snapshot.chunks().get(index);
      int fill = snapshot.fill(index);
      for (int first = 0; first < fill; first += BLOCK_ROWS) {
        int count = Math.min(BLOCK_ROWS, fill - first);
        kernel.dot(chunk.vectors(), unit.length, first, count, unit, scores);
        for (int i = 0; i < count; i++) {
          if (scores[i] >= candidates.cut() && chunk.isAlive(first + i, snapshot.sequence())) {
            offer(chunk, first + i, scores[i]);
          }
        }
      }
    }

    /** Rows side by side are scored together, so that a loose filter scans as fast as none. */
    private void scanMatching(int index, long[] bits) {
      RowChunk chunk = snapshot.chunks().get(index);
      int fill = snapshot.fill(index);
      int slot = nextSet(bits, 0);
      while (slot >= 0 && slot < fill) {
        int end = slot + 1;
        while (end < fill && end - slot < BLOCK_ROWS && isSet(bits, end)) {
          end++;
        }
        kernel.dot(chunk.vectors(), unit.length, slot, end - slot, unit, scores);
        for (int i = slot; i < end; i++) {
          if (scores[i - slot] >= candidates.cut()) {
            offer(chunk, i, scores[i - slot]);
          }
        }
        slot = nextSet(bits, end);
      }
    }

    private void offer(RowChunk chunk, int slot, float score) {
      Row row = chunk.row(slot);
      if (restriction.content().isEmpty() || restriction.content().get().matches(row.content())) {
        candidates.add(row, score);
      }
    }
  }

  private static boolean isSet(long[] bits, int index) {
    return (bits[index >> 6] & 1L << index) != 0;
  }

  private static int nextSet(long[] bits, int from) {
    int word = from >> 6;
    if (word >= bits.length) {
      return -1;
    }
    long rest = bits[word] & -1L << from;
    while (rest == 0) {
      if (++word == bits.length) {
        return -1;
      }
      rest = bits[word];
    }
    return (word << 6) + Long.numberOfTrailingZeros(rest);
  }
}
