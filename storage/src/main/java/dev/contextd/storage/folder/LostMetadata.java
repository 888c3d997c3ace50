package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The note that a collection's own metadata is not known, which an operator has not accepted yet:
 * {@code .contextd/collections/<folder>.lost.json}.
 *
 * <pre>
 * {"version": 1, "name": "contextd_memories", "why": "The metadata file is missing ..."}
 * </pre>
 *
 * @param why in a sentence
 */
public record LostMetadata(String name, String why) {
  private static final int VERSION = 1;

  /** Reads a note; empty where there is none, or none that this version understands. */
  static Optional<LostMetadata> read(Disk disk, Path file) throws IOException {
    if (disk.kind(file) != Disk.Kind.FILE) {
      return Optional.empty();
    }
    try {
      Map<String, String> fields = JsonFile.scalars(disk.read(file));
      return Optional.of(
          new LostMetadata(fields.getOrDefault("name", ""), fields.getOrDefault("why", "")));
    } catch (FormatException e) {
      return Optional.of(new LostMetadata("", "The note of it cannot be read."));
    }
  }

  void write(Disk disk, Path file) throws IOException {
    byte[] content =
        JsonFile.write(json -> {
          json.writeNumberField("version", VERSION);
          json.writeStringField("name", name);
          json.writeStringField("why", why);
        });
    disk.replaceDurably(List.of(new Disk.Image(file, content)));
  }
}
