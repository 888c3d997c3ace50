package dev.contextd.crash;

import dev.contextd.testkit.ChromemGo.Doc;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What one client knows of the store: its own part of each collection as last acknowledged, and the
 * one write that is on its way.
 *
 * <p>Invariant: at most one write is on its way; nobody else writes to these parts.
 */
final class Ledger {
  /** A client's documents in one collection, by id. */
  record Part(boolean exists, Map<String, Doc> documents) {
    static final Part NONE = new Part(false, Map.of());

    static Part of(Map<String, Doc> documents) {
      return new Part(true, new TreeMap<>(documents));
    }
  }

  /** A write that was sent: what it makes of a collection's part. */
  private record OnItsWay(String collection, Part after) {}

  private final Map<String, Part> acknowledged = new TreeMap<>();
  private Optional<OnItsWay> onItsWay = Optional.empty();

  /** The part as last acknowledged. */
  Part part(String collection) {
    return acknowledged.getOrDefault(collection, Part.NONE);
  }

  Map<String, Part> parts() {
    return acknowledged;
  }

  void sent(String collection, Part after) {
    onItsWay = Optional.of(new OnItsWay(collection, after));
  }

  void acknowledged() {
    OnItsWay write = onItsWay.orElseThrow();
    acknowledged.put(write.collection(), write.after());
    onItsWay = Optional.empty();
  }

  void refused() {
    onItsWay = Optional.empty();
  }

  /**
   * Compares with what was found after a stop, and takes over what became of the write on its way.
   *
   * @return whether a write was on its way and had been written
   * @throws AssertionError where anything is neither acknowledged nor on its way
   */
  boolean settle(Map<String, Part> found, Promises promises) {
    Set<String> collections = new TreeSet<>(acknowledged.keySet());
    collections.addAll(found.keySet());
    Optional<OnItsWay> write = onItsWay;
    onItsWay = Optional.empty();
    boolean written = false;
    for (String collection : collections) {
      Part now = found.getOrDefault(collection, Part.NONE);
      Part before = part(collection);
      Optional<Part> after =
          write.filter(sent -> sent.collection().equals(collection)).map(OnItsWay::after);
      if (!now.equals(before)) {
        if (after.isEmpty() || !isOutcome(now, before, after.get(), promises)) {
          throw new AssertionError(difference(collection, now, before, after));
        }
        written = true;
        acknowledged.put(collection, now);
      }
    }
    return written;
  }

  private static boolean isOutcome(Part now, Part before, Part after, Promises promises) {
    boolean wasCreatedOnly = !before.exists() && after.exists() && now.documents().isEmpty();
    if (now.equals(after) || wasCreatedOnly) {
      return true;
    }
    if (promises.keepsCutWritesWhole()) {
      return false;
    }
    Set<String> ids = new TreeSet<>(before.documents().keySet());
    ids.addAll(after.documents().keySet());
    return ids.containsAll(now.documents().keySet())
        && ids.stream().allMatch(id -> same(now, before, id) || same(now, after, id));
  }

  private static boolean same(Part one, Part other, String id) {
    return Optional.ofNullable(one.documents().get(id))
        .equals(Optional.ofNullable(other.documents().get(id)));
  }

  /** The ids that differ, and how; whole parts would fill the screen. */
  private static String difference(String collection, Part now, Part before, Optional<Part> after) {
    StringBuilder text = new StringBuilder(collection + " is neither as acknowledged nor");
    text.append(after.isEmpty() ? " was a write to it on its way" : " as the write on its way");
    text.append(
        "\nexists: found %s, acknowledged %s, on its way %s"
            .formatted(now.exists(), before.exists(), after.map(Part::exists)));
    Set<String> ids = new TreeSet<>(now.documents().keySet());
    ids.addAll(before.documents().keySet());
    after.ifPresent(part -> ids.addAll(part.documents().keySet()));
    for (String id : ids) {
      if (!same(now, before, id) || (after.isPresent() && !same(now, after.get(), id))) {
        text.append(
            "\n%s: found %s, acknowledged %s, on its way %s"
                .formatted(
                    id,
                    version(now, id),
                    version(before, id),
                    after.map(part -> version(part, id)).orElse("nothing")));
      }
    }
    return text.toString();
  }

  private static String version(Part part, String id) {
    Doc document = part.documents().get(id);
    return document == null ? "absent" : document.content().split("\n", 2)[0];
  }
}
