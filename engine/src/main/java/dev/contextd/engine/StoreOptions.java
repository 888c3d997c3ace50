package dev.contextd.engine;

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
 * @param provesNames whether a folder that lost its metadata is served under a name that its own
 *     proves
 * @param keeper bounds what lies between the journal and the files
 */
public record StoreOptions(
    boolean compress,
    Optional<Embedder> embedder,
    ForkJoinPool pool,
    Disk disk,
    Clock clock,
    KeeperOptions keeper,
    boolean provesNames) {

  /** Plain files, no embedder, the common pool. */
  public static StoreOptions defaults() {
    return new StoreOptions(
        false,
        Optional.empty(),
        ForkJoinPool.commonPool(),
        new LocalDisk(),
        Clock.systemUTC(),
        KeeperOptions.defaults(),
        true);
  }

  public StoreOptions withEmbedder(Embedder newEmbedder) {
    return new StoreOptions(
        compress, Optional.of(newEmbedder), pool, disk, clock, keeper, provesNames);
  }

  public StoreOptions withCompression(boolean newCompress) {
    return new StoreOptions(newCompress, embedder, pool, disk, clock, keeper, provesNames);
  }

  public StoreOptions withDisk(Disk newDisk) {
    return new StoreOptions(compress, embedder, pool, newDisk, clock, keeper, provesNames);
  }

  /** No byte of the store changes: damage stays as it is, and every write fails. */
  public StoreOptions onlyLooking() {
    return withDisk(new LookingDisk());
  }

  public StoreOptions withPool(ForkJoinPool newPool) {
    return new StoreOptions(compress, embedder, newPool, disk, clock, keeper, provesNames);
  }

  /** Whether a folder that lost its metadata is served under a name that its own proves. */
  public StoreOptions withProvenNames(boolean newProvesNames) {
    return new StoreOptions(compress, embedder, pool, disk, clock, keeper, newProvesNames);
  }

  Workers workers() {
    return new Workers(pool);
  }

  public StoreOptions withKeeper(KeeperOptions newKeeper) {
    return new StoreOptions(compress, embedder, pool, disk, clock, newKeeper, provesNames);
  }
}
