package dev.contextd.resilience.remote;

import java.util.ArrayList;
import java.util.List;

/** The first few sentences about what differs; nobody reads a million of them. */
final class Examples {
  private static final int MOST = 20;

  private final List<String> sentences = new ArrayList<>();

  void add(String sentence) {
    if (sentences.size() < MOST) {
      sentences.add(sentence);
    }
  }

  List<String> all() {
    return List.copyOf(sentences);
  }
}
