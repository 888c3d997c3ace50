package dev.contextd.resilience.remote;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How two stores that should hold the same differ, document by document.
 *
 * @param compared documents here that were held against there
 * @param missing there
 * @param different there
 * @param extra there, and not here
 * @param otherMetadata collections that are not there with the metadata that they have here
 * @param shipped those that were written there again, where that was asked for
 * @param removed extra ones that were deleted there, where that was asked for; each is in the trash
 *     here
 * @param described collections that were given their metadata there, where that was asked for
 * @param since what was written before could not be compared, because it is not known here; empty
 *     where all was compared
 * @param examples a sentence each for the first few
 */
public record Comparison(
    long compared,
    long missing,
    long different,
    long extra,
    long otherMetadata,
    long shipped,
    long removed,
    long described,
    Optional<Instant> since,
    List<String> examples) {
  public Comparison {
    examples = List.copyOf(examples);
  }

  /** Whether both hold the same now. */
  public boolean isSame() {
    return missing + different == shipped && extra == removed && otherMetadata == described;
  }
}
