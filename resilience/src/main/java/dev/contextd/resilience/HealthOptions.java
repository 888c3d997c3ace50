package dev.contextd.resilience;

import java.time.Duration;

/**
 * How a store is watched.
 *
 * @param maxAge how old a check may be that still answers; zero checks at every question
 * @param patience how long a caller waits for a check, which may hang on a dead file system
 * @param scanInterval between two checks of the folders
 * @param scrubInterval from the end of a scrub to the next one; zero scrubs never by itself
 * @param scrubRate bytes a second that such a scrub reads at most
 */
public record HealthOptions(
    Duration maxAge,
    Duration patience,
    Duration scanInterval,
    Duration scrubInterval,
    long scrubRate) {

  /** A check every 5 minutes, a scrub once a week at 20 MB/s. */
  public static HealthOptions defaults() {
    return new HealthOptions(
        Duration.ofSeconds(15),
        Duration.ofSeconds(30),
        Duration.ofMinutes(5),
        Duration.ofDays(7),
        20_000_000);
  }

  public HealthOptions withMaxAge(Duration newMaxAge) {
    return new HealthOptions(newMaxAge, patience, scanInterval, scrubInterval, scrubRate);
  }

  public HealthOptions withPatience(Duration newPatience) {
    return new HealthOptions(maxAge, newPatience, scanInterval, scrubInterval, scrubRate);
  }

  public HealthOptions withScanInterval(Duration newInterval) {
    return new HealthOptions(maxAge, patience, newInterval, scrubInterval, scrubRate);
  }

  public HealthOptions withScrub(Duration newInterval, long newRate) {
    return new HealthOptions(maxAge, patience, scanInterval, newInterval, newRate);
  }
}
