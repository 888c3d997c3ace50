package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.IntactCollection;
import java.util.List;

/**
 * What an open store's folder holds, beside what the store knows of it.
 *
 * @param report what is damaged, and what is not as the store left it
 * @param foreign intact content that the store does not serve: another program's work
 */
public record Examination(CheckReport report, List<IntactCollection> foreign) {
  public Examination {
    foreign = List.copyOf(foreign);
  }
}
