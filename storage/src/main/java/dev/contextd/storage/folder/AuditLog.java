package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/**
 * What was done to a store beyond what its users asked for: {@code .contextd/audit.jsonl}, a JSON
 * object a line, the latest last. Lines are never changed.
 *
 * <p>A log that has grown beyond {@value #MAX_BYTES} bytes becomes {@code audit.1.jsonl}, the one
 * before it {@code audit.2.jsonl}, and so on; {@value #KEPT} such are kept.
 */
public final class AuditLog {
  static final int MAX_BYTES = 1 << 20;
  static final int KEPT = 8;

  private final Disk disk;
  private final Path own;
  private final Clock clock;

  AuditLog(Disk disk, Path own, Clock clock) {
    this.disk = disk;
    this.own = own;
    this.clock = clock;
  }

  /**
   * Something that was done.
   *
   * @param what in one word: mended, quarantined, adopted, vanished
   * @param file empty where it was the whole folder
   * @param why a sentence
   * @param kept the entry of the quarantine that holds the bytes from before, with their checksums
   *     in its note; empty where there are none
   */
  public record Entry(String what, String folder, String file, String why, String kept) {}

  /**
   * Adds entries, durably; nothing where there are none.
   *
   * @throws IOException where nothing was added
   */
  public synchronized void append(List<Entry> entries) throws IOException {
    if (entries.isEmpty()) {
      return;
    }
    Path file = own.resolve(OwnNames.AUDIT);
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    if (disk.exists(file)) {
      byte[] before = disk.read(file);
      if (before.length > MAX_BYTES) {
        rotate(file);
      } else {
        log.writeBytes(before);
      }
    }
    entries.forEach(entry -> log.writeBytes(line(entry)));
    disk.replaceDurably(List.of(new Disk.Image(file, log.toByteArray())));
  }

  private byte[] line(Entry entry) {
    return JsonFile.line(json -> {
      json.writeStringField("when", clock.instant().toString());
      json.writeStringField("who", "contextd, process " + ProcessHandle.current().pid());
      json.writeStringField("what", entry.what());
      json.writeStringField("folder", entry.folder());
      json.writeStringField("file", entry.file());
      json.writeStringField("why", entry.why());
      json.writeStringField("kept", entry.kept());
    });
  }

  private void rotate(Path file) throws IOException {
    if (disk.exists(numbered(KEPT))) {
      disk.remove(numbered(KEPT));
    }
    for (int n = KEPT - 1; n >= 1; n--) {
      if (disk.exists(numbered(n))) {
        disk.move(numbered(n), numbered(n + 1));
      }
    }
    disk.move(file, numbered(1));
  }

  private Path numbered(int n) {
    return own.resolve("audit." + n + ".jsonl");
  }
}
