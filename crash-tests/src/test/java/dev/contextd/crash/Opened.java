package dev.contextd.crash;

import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.OpenSummary;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.testkit.ChromemGo.Coll;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What one opening of a folder came to; it is closed again.
 *
 * @param served all that it served
 * @param corrupt the folders that its health names
 * @param reports all that it said of damage, anywhere
 */
record Opened(Map<String, Coll> served, List<String> corrupt, Set<String> reports) {

  static Opened of(Path root) throws IOException {
    try (ResilientStore store = ResilientStore.open(root, StoreOptions.defaults())) {
      return new Opened(Views.of(store.store()), store.health().corrupt(), reports(store));
    }
  }

  private static Set<String> reports(ResilientStore store) {
    Set<String> reports = new TreeSet<>();
    OpenSummary summary = store.summary();
    summary.quarantined().forEach(moved -> reports.add(moved.damage().toString()));
    summary.inPlace().forEach(left -> reports.add(left.damage().toString()));
    summary.brake().ifPresent(reports::add);
    summary.readOnly().ifPresent(reports::add);
    store.store().openReport().damage().forEach(found -> reports.add(found.toString()));
    store.store().damage().forEach(found -> reports.add(found.toString()));
    // What nobody wrote to is only found by reading it.
    store.scrub().damage().forEach(found -> reports.add(found.toString()));
    store.health().corrupt().forEach(folder -> reports.add("corrupt " + folder));
    store.health().empty().forEach(folder -> reports.add("empty " + folder));
    return reports;
  }
}
