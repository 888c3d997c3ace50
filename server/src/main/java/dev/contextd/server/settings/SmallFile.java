package dev.contextd.server.settings;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A file that is small, unless its name is another's: what has no end is not read to it. */
final class SmallFile {
  private SmallFile() {}

  /** The content; empty where it has more bytes. */
  static Optional<byte[]> bytes(Path file, int most) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(most + 1);
      return content.length > most ? Optional.empty() : Optional.of(content);
    }
  }

  /**
   * The content as text.
   *
   * @throws java.nio.charset.CharacterCodingException where it is not UTF-8
   */
  static Optional<String> text(Path file, int most) throws IOException {
    Optional<byte[]> content = bytes(file, most);
    return content.isEmpty()
        ? Optional.empty()
        : Optional.of(
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content.get())).toString());
  }
}
