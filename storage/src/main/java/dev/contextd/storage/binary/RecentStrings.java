package dev.contextd.storage.binary;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Short strings that were read lately: those that come again and again, as the keys of metadata do,
 * are made once. For one thread.
 */
public final class RecentStrings {
  private static final int SLOTS = 512;
  private static final int MAX_BYTES = 64;

  private final @Nullable String[] slots = new String[SLOTS];

  /** The string of UTF-8 bytes. */
  String of(byte[] bytes, int offset, int length) {
    if (length > MAX_BYTES) {
      return new String(bytes, offset, length, StandardCharsets.UTF_8);
    }
    int hash = length;
    for (int i = 0; i < length; i++) {
      hash = hash * 31 + bytes[offset + i];
    }
    int slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    String recent = slots[slot];
    if (recent != null && isSame(recent, bytes, offset, length)) {
      return recent;
    }
    String fresh = new String(bytes, offset, length, StandardCharsets.UTF_8);
    slots[slot] = fresh;
    return fresh;
  }

  /** Only ASCII is ever the same: other bytes are negative. */
  private static boolean isSame(String text, byte[] bytes, int offset, int length) {
    if (text.length() != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (text.charAt(i) != bytes[offset + i]) {
        return false;
      }
    }
    return true;
  }
}
