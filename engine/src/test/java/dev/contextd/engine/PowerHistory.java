package dev.contextd.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What one writer did to its part of a store, each call with its place in the disk's log, so that
 * it can be told what must be found after any part of the log.
 *
 * <p>A state maps {@code collection/id} to a text that tells the document, and {@code collection/}
 * to the collection's metadata. Writers share no key.
 */
final class PowerHistory {

  /**
   * One call.
   *
   * @param begin how long the log was before the call
   * @param end how long it was when the call had been acknowledged
   * @param isWhole whether the call is found whole or not at all
   */
  record Call(int begin, int end, String what, SortedMap<String, String> after, boolean isWhole) {}

  private final String writer;
  private final List<Call> calls = new ArrayList<>();

  PowerHistory(String writer) {
    this.writer = writer;
  }

  String writer() {
    return writer;
  }

  void add(Call call) {
    calls.add(call);
  }

  /** How long the log was before the first call. */
  int begin() {
    return calls.isEmpty() ? 0 : calls.getFirst().begin();
  }

  /** The keys that are this writer's. */
  SortedMap<String, String> partOf(SortedMap<String, String> state) {
    SortedMap<String, String> part = new TreeMap<>(state);
    part.keySet().removeIf(key -> !owns(key));
    return part;
  }

  private boolean owns(String key) {
    String shared = PowerWorkload.SHARED + "/";
    boolean isSharedDocument = key.startsWith(shared) && !key.equals(shared);
    String owned = isSharedDocument ? key.substring(shared.length()) : key;
    return owned.startsWith(writer);
  }

  /**
   * What is wrong with a state found after the first operations of the log; empty where nothing is.
   *
   * @param found this writer's part
   */
  String judge(int prefix, SortedMap<String, String> found) {
    SortedMap<String, String> acknowledged = new TreeMap<>();
    for (Call call : calls) {
      if (call.end() > prefix) {
        return call.begin() > prefix
            ? differences(acknowledged, found, "nothing in flight")
            : judgeInFlight(call, acknowledged, found);
      }
      acknowledged = call.after();
    }
    return differences(acknowledged, found, "nothing in flight");
  }

  private String judgeInFlight(
      Call call, SortedMap<String, String> before, SortedMap<String, String> found) {
    if (found.equals(call.after())) {
      return "";
    }
    SortedMap<String, String> allowed = new TreeMap<>(before);
    for (String key : keys(before, call.after())) {
      boolean mayBeAlone = !call.isWhole() || key.endsWith("/");
      boolean isDone = Objects.equals(call.after().get(key), found.get(key));
      if (mayBeAlone && isDone) {
        allowed.remove(key);
        if (found.containsKey(key)) {
          allowed.put(key, found.get(key));
        }
      }
    }
    return differences(allowed, found, "in flight: " + call.what());
  }

  private String differences(
      SortedMap<String, String> expected, SortedMap<String, String> found, String inFlight) {
    List<String> differences = new ArrayList<>();
    for (String key : keys(expected, found)) {
      if (!Objects.equals(expected.get(key), found.get(key))) {
        differences.add(
            "%s: expected %s, found %s".formatted(key, expected.get(key), found.get(key)));
      }
    }
    return differences.isEmpty()
        ? ""
        : "writer %s (%s):\n  %s".formatted(writer, inFlight, String.join("\n  ", differences));
  }

  private static SortedSet<String> keys(
      SortedMap<String, String> one, SortedMap<String, String> other) {
    SortedSet<String> keys = new TreeSet<>(one.keySet());
    keys.addAll(other.keySet());
    return keys;
  }
}
