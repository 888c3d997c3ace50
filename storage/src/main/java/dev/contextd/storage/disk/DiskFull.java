package dev.contextd.storage.disk;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Tells a full disk from every other failure, by the system's own words. */
public final class DiskFull {
  private DiskFull() {}

  public static boolean is(IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      @Nullable String reason = cause.getMessage();
      if (reason != null
          && (reason.contains("No space left on device")
              || reason.contains("Disk quota exceeded"))) {
        return true;
      }
    }
    return false;
  }
}
