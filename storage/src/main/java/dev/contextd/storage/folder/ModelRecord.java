package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The record of which model made a collection's vectors: {@code
 * .contextd/collections/<folder>.json}.
 *
 * <pre>
 * {"version": 1, "embedding_model": "BAAI/bge-small-en-v1.5", "dimension": 384}
 * </pre>
 *
 * @param dimension of the model's vectors
 */
public record ModelRecord(String model, int dimension) {
  private static final int VERSION = 1;

  /** Reads a record; empty where there is none, or none that this version understands. */
  static Optional<ModelRecord> read(Disk disk, Path file) throws IOException {
    if (disk.kind(file) != Disk.Kind.FILE) {
      return Optional.empty();
    }
    try {
      Map<String, String> fields = JsonFile.scalars(disk.read(file));
      String model = fields.getOrDefault("embedding_model", "");
      int dimension = Integer.parseInt(fields.getOrDefault("dimension", "0"));
      boolean known = fields.getOrDefault("version", "").equals(Integer.toString(VERSION));
      return known && !model.isEmpty() && dimension > 0
          ? Optional.of(new ModelRecord(model, dimension))
          : Optional.empty();
    } catch (FormatException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  void write(Disk disk, Path file) throws IOException {
    byte[] content =
        JsonFile.write(json -> {
          json.writeNumberField("version", VERSION);
          json.writeStringField("embedding_model", model);
          json.writeNumberField("dimension", dimension);
        });
    disk.replaceDurably(List.of(new Disk.Image(file, content)));
  }
}
