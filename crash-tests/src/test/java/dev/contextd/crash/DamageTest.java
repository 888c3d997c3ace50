package dev.contextd.crash;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * One fault anywhere in a store's folder: it opens, serves everything else to the last bit, keeps
 * every byte, says what is not as it was, and does the same when it is opened again.
 *
 * <p>A seed repeats its fault exactly in the closed store. No two kills leave the same, so there a
 * failure is best repeated on the folder that is kept.
 */
class DamageTest {
  private static final int SEEDS = 75;
  private static final int MOST_TOLD = 10;

  @TempDir Path folder;

  /** Hundreds of damaged files are expected here, and would fill the log. */
  @BeforeAll
  static void logErrorsOnly() {
    ((Logger) LoggerFactory.getLogger("dev.contextd")).setLevel(Level.ERROR);
  }

  @Test
  void aFaultInAClosedStoreCostsNoMoreThanItself() throws Exception {
    long seed = Plan.seed("aFaultInAClosedStoreCostsNoMoreThanItself");
    damage(PreparedStore.closed(folder), seed, "aFaultInAClosedStoreCostsNoMoreThanItself");
  }

  @Test
  void aFaultInAKilledStoreCostsNoMoreThanItself() throws Exception {
    long seed = Plan.seed("aFaultInAKilledStoreCostsNoMoreThanItself");
    damage(PreparedStore.killed(folder, seed), seed, "aFaultInAKilledStoreCostsNoMoreThanItself");
  }

  private void damage(PreparedStore store, long first, String test) throws IOException {
    int seeds = Plan.number("crash.damage.seeds", SEEDS);
    Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
    List<String> failures = new ArrayList<>();
    for (long seed = first; seed < first + seeds; seed++) {
      Path root = folder.resolve("damaged-" + seed);
      Damaged damaged = Damaged.copyOf(store, root, new Random(seed));
      faults.merge(damaged.fault(), 1, Integer::sum);
      List<String> broken = broken(store, damaged);
      Folders.remove(root);
      if (!broken.isEmpty()) {
        failures.add(told(store, damaged, seed, test) + "\n  " + String.join("\n  ", broken));
      }
    }
    System.out.println(test + ": " + faults + ", " + failures.size() + " of them cost too much");
    assertThat(failures.stream().limit(MOST_TOLD)).isEmpty();
  }

  /** What was promised and did not come true. */
  private static List<String> broken(PreparedStore store, Damaged damaged) throws IOException {
    List<String> broken = new ArrayList<>();
    Map<String, Integer> bytes = Folders.gobContents(damaged.root());
    try {
      Opened once = Opened.of(damaged.root());
      broken.addAll(DamagePromises.broken(store, damaged, once));
      broken.addAll(lost(store, damaged, bytes, "opened once"));
      Opened again = Opened.of(damaged.root());
      if (!again.served().equals(once.served())) {
        broken.add("opened again, it does not serve the same");
      }
      if (!again.corrupt().equals(once.corrupt())) {
        broken.add("opened again, corrupt is " + again.corrupt() + " after " + once.corrupt());
      }
      broken.addAll(lost(store, damaged, bytes, "opened again"));
    } catch (IOException | RuntimeException e) {
      broken.add("it does not open: " + e);
    }
    return broken;
  }

  /** Contents of gob files that are nowhere below the root any more. */
  private static List<String> lost(
      PreparedStore store, Damaged damaged, Map<String, Integer> before, String when)
      throws IOException {
    TreeSet<String> missing =
        new TreeSet<>(Folders.missing(before, Folders.gobContents(damaged.root())).keySet());
    missing.removeAll(store.replaced());
    missing.removeAll(damaged.excused());
    if (!missing.isEmpty() && damaged.isOfJournal()) {
      missing.removeAll(store.replacedByPartOfJournal());
    }
    return missing.isEmpty() ? List.of() : List.of(when + ", it has lost " + missing);
  }

  /** Damages a copy once more and keeps it; says where, and how to repeat. */
  private static String told(PreparedStore store, Damaged damaged, long seed, String test)
      throws IOException {
    Path kept = Path.of("target", "damage", test + "-" + seed).toAbsolutePath();
    if (Files.exists(kept)) {
      Folders.remove(kept);
    }
    Damaged.copyOf(store, kept, new Random(seed));
    return "%s; kept in %s; repeat with mvn -pl crash-tests -am verify -Dtest=DamageTest#%s -Dsurefire.failIfNoSpecifiedTests=false -Dcrash.seed=%d -Dcrash.damage.seeds=1"
        .formatted(damaged.description(), kept, test, seed);
  }
}
