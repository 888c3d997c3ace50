package dev.contextd.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The key of an encrypted export. */
final class KeyFile {
  private static final int KEY_BYTES = 32;

  private KeyFile() {}

  /**
   * @throws CliException where the file cannot be read, or holds no key
   */
  static Optional<byte[]> read(@Nullable Path file) {
    if (file == null) {
      return Optional.empty();
    }
    try {
      byte[] key = Files.readAllBytes(file);
      if (key.length != KEY_BYTES) {
        throw new CliException(
            "%s has %d bytes, a key has %d; head -c 32 /dev/urandom makes one"
                .formatted(file, key.length, KEY_BYTES));
      }
      return Optional.of(key);
    } catch (IOException e) {
      throw new CliException("the key file " + file + " cannot be read: " + e);
    }
  }
}
