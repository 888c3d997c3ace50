package dev.contextd.storage;

import java.util.Random;

/** The randomness of a test: fresh each run, printed, and repeated with {@code -Dseed=<number>}. */
public final class Seed {
  private Seed() {}

  public static Random random(String test) {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println(test + ": repeat with -Dseed=" + seed);
    return new Random(seed);
  }
}
