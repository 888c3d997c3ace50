package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How far the reading of every byte has come: {@code .contextd/scrub.json}.
 *
 * <pre>
 * {"version": 1, "completed": "2026-11-23T23:11:25.123Z", "incarnation": 7, "file": 17592186044416,
 *  "bytes": 104857600}
 * </pre>
 *
 * @param completed when the last one came to its end; empty where none did
 * @param incarnation of the collection it is in; 0 where none is under way
 * @param file the key of the last file of that collection that was read; -1 where none was
 * @param bytes read so far
 */
public record ScrubRecord(Optional<Instant> completed, long incarnation, long file, long bytes) {
  private static final int VERSION = 1;

  /** Nothing was ever read. */
  public static final ScrubRecord NONE = new ScrubRecord(Optional.empty(), 0, -1, 0);

  /** A scrub that came to its end. */
  public static ScrubRecord completed(Instant at) {
    return new ScrubRecord(Optional.of(at), 0, -1, 0);
  }

  /** Whether a scrub was begun and not ended. */
  public boolean isUnderWay() {
    return bytes > 0;
  }

  /** Reads the record; none where none can be read that this version understands. */
  public static ScrubRecord read(Disk disk, Path own) {
    Path path = file(own);
    try {
      if (disk.kind(path) != Disk.Kind.FILE) {
        return NONE;
      }
      Map<String, String> fields = JsonFile.scalars(disk.read(path));
      if (!fields.getOrDefault("version", "").equals(Integer.toString(VERSION))) {
        return NONE;
      }
      String completed = fields.getOrDefault("completed", "");
      return new ScrubRecord(
          completed.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(completed)),
          Long.parseLong(fields.getOrDefault("incarnation", "0")),
          Long.parseLong(fields.getOrDefault("file", "-1")),
          Long.parseLong(fields.getOrDefault("bytes", "0")));
    } catch (IOException | FormatException | NumberFormatException | DateTimeParseException e) {
      return NONE;
    }
  }

  /** Replaces the record, durably. */
  public void write(Disk disk, Path own) throws IOException {
    byte[] content =
        JsonFile.write(json -> {
          json.writeNumberField("version", VERSION);
          json.writeStringField("completed", completed.map(Instant::toString).orElse(""));
          json.writeNumberField("incarnation", incarnation);
          json.writeNumberField("file", file);
          json.writeNumberField("bytes", bytes);
        });
    disk.replaceDurably(List.of(new Disk.Image(file(own), content)));
  }

  private static Path file(Path own) {
    return own.resolve(OwnNames.SCRUB);
  }
}
