package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.IntactCollection;
import java.util.List;
import java.util.Map;

/**
 * What an open store's folder holds, beside what the store knows of it.
 *
 * @param report what is damaged, and what is not as the store left it
 * @param foreign intact content that the store does not serve, where it was judged just now:
 *     another program's work
 * @param prints for each folder that is not as it was left a number that stays the same as long as
 *     the differences do
 */
public record Examination(
    CheckReport report, List<IntactCollection> foreign, Map<String, Long> prints) {
  /** Of a folder that is not there. */
  public static final long VANISHED = 1;

  public Examination {
    foreign = List.copyOf(foreign);
    prints = Map.copyOf(prints);
  }
}
