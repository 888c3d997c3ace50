package dev.contextd.resilience;

/**
 * The brake on quarantine. Many damaged things at once have one cause that is not theirs: a bug of
 * ours, a wrong mount, tomorrow's format. Then nothing is moved at all.
 *
 * <p>A folder counts as one thing, and things in quarantine that nobody has reviewed count too, so
 * that a store is not emptied in small steps.
 */
final class QuarantineBrake {
  /** So many things may always lie in quarantine. */
  static final int ALWAYS_ALLOWED = 10;

  /** Or one in so many of all files. */
  static final int ONE_IN = 10;

  private QuarantineBrake() {}

  static long allowed(long files) {
    return Math.max(ALWAYS_ALLOWED, files / ONE_IN);
  }

  /**
   * @param unreviewed things in quarantine that no operator has reviewed
   * @param planned things that would be moved now
   * @param files of all collections in the store
   */
  static boolean holds(long unreviewed, long planned, long files) {
    return planned > 0 && unreviewed + planned > allowed(files);
  }
}
