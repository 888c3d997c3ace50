package dev.contextd.engine.search;

import dev.contextd.engine.Filter;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.TextFilter;
import dev.contextd.storage.parallel.Workers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  private static final Logger log = LoggerFactory.getLogger(ExactSearch.class);

  /** Rows scored in one go; 4 KiB of scores stay in the first-level cache. */
  private static final int BLOCK_ROWS = 1_024;

  /** Below this many floats a second thread costs more than it brings. */
  private static final long PARALLEL_FLOATS = 1L << 20;

  private static final Comparator<Ranked> BEST_FIRST =
      Hit.bestFirst(Ranked::score, ranked -> ranked.row().id());

  /** So long a store that was just opened leaves the processors to whoever opened it. */
  private static final long QUIET_MILLIS = 1_000;

  private final DotKernel kernel;
  private final Workers workers;
  private final CountDownLatch isUsed = new CountDownLatch(1);

  public ExactSearch(DotKernel kernel, Workers workers) {
    this.kernel = kernel;
    this.workers = workers;
  }

  /**
   * Prepares for queries over many documents, in a thread of its own.
   *
   * @param dimension of theirs
   */
  public void warmUpAside(int dimension) {
    kernel.warmUpAside(dimension);
  }

  /** Does something in a thread of its own, after the first search or a moment without one. */
  public void afterFirst(Runnable work) {
    Thread.ofPlatform()
        .daemon()
        .name("prepare")
        .start(() -> {
          try {
            if (!isUsed.await(QUIET_MILLIS, TimeUnit.MILLISECONDS)) {
              log.debug("nobody has searched yet");
            }
            work.run();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  /** Whatever waits for a first search need not wait any longer. */
  public void noteUse() {
    isUsed.countDown();
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
    noteUse();
    return ranked.size() <= limit ? ranked : List.copyOf(ranked.subList(0, limit));
  }

  private List<Candidates> scan(
      Snapshot snapshot, float[] unit, int limit, Restriction restriction) {
    List<Part> parts = parts(snapshot, restriction);
    long floats = (long) snapshot.count() * unit.length;
    int most = floats < PARALLEL_FLOATS ? 1 : parts.size();
    AtomicInteger next = new AtomicInteger();
    List<Candidates> found =
        workers.together(most, () -> new Scan(snapshot, unit, limit, restriction).run(parts, next));
    kernel.noteSearch(floats, unit.length);
    return found;
  }

  /** Rows that one worker takes at once: {@code from} to {@code to - 1} of a chunk. */
  private record Part(int chunk, int from, int to) {}

  /** A filter is evaluated a chunk at a time; without one, smaller parts share the work better. */
  private static List<Part> parts(Snapshot snapshot, Restriction restriction) {
    List<Part> parts = new ArrayList<>();
    for (int c = 0; c < snapshot.chunks().size(); c++) {
      int fill = snapshot.fill(c);
      int step = restriction.metadata().isPresent() ? Math.max(fill, 1) : BLOCK_ROWS;
      for (int from = 0; from < fill; from += step) {
        parts.add(new Part(c, from, Math.min(fill, from + step)));
      }
    }
    return parts;
  }

  /** One worker: takes parts, one after another. */
  private final class Scan {
    private final Snapshot snapshot;
    private final float[] unit;
    private final Restriction restriction;
    private final Candidates candidates;
    private final int[] slots = new int[BLOCK_ROWS];
    private final float[] scores = new float[BLOCK_ROWS];

    Scan(Snapshot snapshot, float[] unit, int limit, Restriction restriction) {
      this.snapshot = snapshot;
      this.unit = unit;
      this.restriction = restriction;
      this.candidates = new Candidates(limit, 2 * DotKernel.errorBound(unit.length));
    }

    Candidates run(List<Part> parts, AtomicInteger next) {
      for (int p = next.getAndIncrement(); p < parts.size(); p = next.getAndIncrement()) {
        Part part = parts.get(p);
        if (restriction.metadata().isPresent()) {
          scanMatching(part, snapshot.living(part.chunk(), restriction.metadata().get()));
        } else {
          scanAll(part);
        }
      }
      return candidates;
    }

    /** Whether a row lives is only asked of those few that score well. */
    private void scanAll(Part part) {
      RowChunk chunk = snapshot.chunks().get(part.chunk());
      int count = part.to() - part.from();
      for (int i = 0; i < count; i++) {
        slots[i] = part.from() + i;
      }
      kernel.dot(chunk.vectors(), unit.length, slots, count, unit, scores);
      for (int i = 0; i < count; i++) {
        offerIfAlive(chunk, slots[i], scores[i]);
      }
    }

    /** A method of its own is compiled long before the first scan ends. */
    private void offerIfAlive(RowChunk chunk, int slot, float score) {
      if (score >= candidates.cut() && chunk.isAlive(slot, snapshot.sequence())) {
        offer(chunk, slot, score);
      }
    }

    private void scanMatching(Part part, long[] bits) {
      RowChunk chunk = snapshot.chunks().get(part.chunk());
      int count = 0;
      for (int word = 0; word < bits.length; word++) {
        for (long rest = bits[word]; rest != 0; rest &= rest - 1) {
          slots[count++] = (word << 6) + Long.numberOfTrailingZeros(rest);
          if (count == BLOCK_ROWS) {
            scoreMatching(chunk, count);
            count = 0;
          }
        }
      }
      scoreMatching(chunk, count);
    }

    private void scoreMatching(RowChunk chunk, int count) {
      kernel.dot(chunk.vectors(), unit.length, slots, count, unit, scores);
      for (int i = 0; i < count; i++) {
        if (scores[i] >= candidates.cut()) {
          offer(chunk, slots[i], scores[i]);
        }
      }
    }

    private void offer(RowChunk chunk, int slot, float score) {
      Row row = chunk.row(slot);
      if (restriction.content().isEmpty()
          || restriction.content().get().matches(row.keptContent())) {
        candidates.add(row, score);
      }
    }
  }
}
