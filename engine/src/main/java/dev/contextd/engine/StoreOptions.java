package dev.contextd.engine;

import dev.contextd.storage.check.CandidateNames;
import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.disk.LookingDisk;
import dev.contextd.storage.parallel.Workers;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;

/**
 * How a store is opened.
 *
 * @param compress whether new collections are written as {@code .gob.gz}; existing ones keep theirs
 * @param embedder turns text into vectors; the caller closes it
 * @param pool reads files and searches large collections, beside the calling threads; the caller
 *     closes it
 * @param names to try where a folder has lost its metadata: it is served under the one that its own
 *     proves; empty where it is to stay unserved
 * @param keeper bounds what lies between the journal and the files
 */
public record StoreOptions(
    boolean compress,
    Optional<Embedder> embedder,
    ForkJoinPool pool,
    Disk disk,
    Clock clock,
    KeeperOptions keeper,
    Optional<CandidateNames> names) {

  /** Plain files, no embedder, the common pool. */
  public static StoreOptions defaults() {
    return new StoreOptions(
        false,
        Optional.empty(),
        ForkJoinPool.commonPool(),
        new LocalDisk(),
        Clock.systemUTC(),
        KeeperOptions.defaults(),
        Optional.of(CandidateNames.builtIn()));
  }

  public StoreOptions withEmbedder(Embedder newEmbedder) {
    return new StoreOptions(compress, Optional.of(newEmbedder), pool, disk, clock, keeper, names);
  }

  public StoreOptions withCompression(boolean newCompress) {
    return new StoreOptions(newCompress, embedder, pool, disk, clock, keeper, names);
  }

  public StoreOptions withDisk(Disk newDisk) {
    return new StoreOptions(compress, embedder, pool, newDisk, clock, keeper, names);
  }

  /** No byte of the store changes: damage stays as it is, and every write fails. */
  public StoreOptions onlyLooking() {
    return withDisk(new LookingDisk());
  }

  public StoreOptions withPool(ForkJoinPool newPool) {
    return new StoreOptions(compress, embedder, newPool, disk, clock, keeper, names);
  }

  /** Names to try where a folder has lost its metadata; empty where it is to stay unserved. */
  public StoreOptions withNames(Optional<CandidateNames> newNames) {
    return new StoreOptions(compress, embedder, pool, disk, clock, keeper, newNames);
  }

  /** Whether contextd's own names are tried where a folder has lost its metadata. */
  public StoreOptions withProvenNames(boolean isTried) {
    return withNames(isTried ? Optional.of(CandidateNames.builtIn()) : Optional.empty());
  }

  Workers workers() {
    return new Workers(pool);
  }

  public StoreOptions withKeeper(KeeperOptions newKeeper) {
    return new StoreOptions(compress, embedder, pool, disk, clock, newKeeper, names);
  }
}
