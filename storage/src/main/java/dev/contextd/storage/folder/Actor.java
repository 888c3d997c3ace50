package dev.contextd.storage.folder;

import java.util.concurrent.Callable;

/** Who has what is being done done, for the audit log. */
public final class Actor {
  private static final ScopedValue<String> CURRENT = ScopedValue.newInstance();
  private static final String OURSELVES = "contextd, process " + ProcessHandle.current().pid();

  private Actor() {}

  /** Who acts on this thread: the daemon itself where nobody else is named. */
  static String current() {
    return CURRENT.orElse(OURSELVES);
  }

  /**
   * Runs something in somebody's name.
   *
   * @param who as the audit log shall name them
   */
  public static <T> T acting(String who, Callable<T> action) throws Exception {
    return ScopedValue.where(CURRENT, who + ", through " + OURSELVES).call(action::call);
  }
}
