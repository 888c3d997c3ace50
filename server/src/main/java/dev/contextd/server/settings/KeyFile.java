package dev.contextd.server.settings;

import java.io.IOException;
import java.nio.file.Path;

/** A file that holds a key of AES-256. */
public final class KeyFile {
  private static final int KEY_BYTES = 32;

  private KeyFile() {}

  /**
   * Reads the key.
   *
   * @throws SettingsException where the file cannot be read, or holds no key
   */
  public static byte[] read(Path file) throws SettingsException {
    try {
      byte[] key = SmallFile.bytes(file, KEY_BYTES).orElse(new byte[0]);
      if (key.length != KEY_BYTES) {
        throw new SettingsException(
            "%s has not the %d bytes of a key; head -c 32 /dev/urandom makes one"
                .formatted(file, KEY_BYTES));
      }
      return key;
    } catch (IOException e) {
      throw new SettingsException("the key file " + file + " cannot be read: " + e);
    }
  }
}
