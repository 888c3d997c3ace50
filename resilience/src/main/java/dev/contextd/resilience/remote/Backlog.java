package dev.contextd.resilience.remote;

import dev.contextd.resilience.remote.Comparing.Repair;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.Outbox.Shipment;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What is written here and goes to the remote store, wherever it lies until then. */
interface Backlog {
  Outbox.Status status();

  /** Bytes of what waits and is not in the status, because it cannot be shipped yet. */
  long unsettledBytes();

  /** What gives way on the remote store. */
  Conflicts conflicts();

  /** Called whenever there is more to ship; must return at once, and not throw. */
  void onMore(Runnable wake);

  /** Returns when all that was written up to now can be shipped. */
  void settle();

  /** The next thing to do, as {@link Outbox#next}. */
  Optional<Shipment> next(int maxDocuments, long maxBytes) throws IOException;

  /** The remote store has everything up to a sequence. */
  void acknowledge(long through) throws IOException;

  /** The names of all collections that are ours there. */
  List<String> collections();

  /** Done before each look at what waits. */
  void tend() throws IOException;

  /** The remote store is there again, or what was another's there is ours. */
  void reached(Shipping shipping);

  /** Whether a comparison brings what a gap lacks, without anybody asking for it. */
  boolean fillsGaps();

  /** To be asked before a comparison, for {@link #clearGap}. */
  long gaps();

  /**
   * The stores were compared.
   *
   * @param compared what {@link #gaps} said before: what was found since is for the next comparison
   */
  void clearGap(long compared) throws IOException;

  /**
   * Holds what is here against what is there, after all that waits was shipped.
   *
   * @param settle ships what was written up to now
   */
  Comparison compare(Shipping shipping, Runnable settle, Repair repair) throws IOException;

  /** What whoever looks at it should know besides. */
  Optional<String> note();
}
