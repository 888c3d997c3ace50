package dev.contextd.crash;

import java.util.Random;

/** The randomness and the length of a test: printed, and set by system properties. */
final class Plan {
  private Plan() {}

  /** Fresh each run; repeated with {@code -Dcrash.seed=<number>}. */
  static long seed(String test) {
    long seed = Long.getLong("crash.seed", new Random().nextInt(Integer.MAX_VALUE));
    System.out.println(test + ": repeat with -Dcrash.seed=" + seed);
    return seed;
  }

  /**
   * How often something is done.
   *
   * @param key the name of a system property; {@code crash-tests/pom.xml} has all of them
   * @param otherwise outside of Maven
   */
  static int number(String key, int otherwise) {
    return Integer.getInteger(key, otherwise);
  }
}
