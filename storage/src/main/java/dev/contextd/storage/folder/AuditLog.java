package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was done to a store beyond what its users asked for: {@code .contextd/audit.jsonl}, a JSON
 * object a line, the latest last. Lines are never changed.
 *
 * <p>A log that has grown beyond {@value #MAX_BYTES} bytes becomes {@code audit.1.jsonl}, the one
 * before it {@code audit.2.jsonl}, and so on; {@value #KEPT} such are kept.
 */
public final class AuditLog {
  private static final Logger log = LoggerFactory.getLogger(AuditLog.class);
  static final int MAX_BYTES = 1 << 20;
  static final int KEPT = 8;

  /** Several logs of one folder may be open in a process. */
  private static final Object LOCK = new Object();

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
   * @param what in one word: mended, quarantined, adopted, vanished, restored, discarded,
   *     recovered, deleted, purged, exported, imported
   * @param file empty where it was the whole folder
   * @param why a sentence
   * @param kept the entry of the quarantine or trash that holds the bytes from before; empty where
   *     there are none
   * @param before the {@link Checksum} of what it was done to; empty where there was nothing
   * @param after the checksum of what stands in its place; empty where nothing does
   * @param source what a repair was made from, in a word; empty where nothing was repaired
   * @param lossless whether everything is as it was before the damage: {@code yes}, {@code no}, or
   *     empty where nothing was repaired
   */
  public record Entry(
      String what,
      String folder,
      String file,
      String why,
      String kept,
      String before,
      String after,
      String source,
      String lossless) {

    /** Of something of which there is no more to say. */
    public Entry(String what, String folder, String file, String why) {
      this(what, folder, file, why, "", "", "", "", "");
    }

    /** The same with checksums. */
    public Entry withSums(String sumBefore, String sumAfter) {
      return new Entry(what, folder, file, why, kept, sumBefore, sumAfter, source, lossless);
    }

    /** The same with an entry that holds bytes. */
    public Entry withKept(String entry) {
      return new Entry(what, folder, file, why, entry, before, after, source, lossless);
    }

    /** The same of a repair. */
    public Entry withSource(String from, boolean isLossless) {
      return new Entry(
          what, folder, file, why, kept, before, after, from, isLossless ? "yes" : "no");
    }
  }

  /** A line as it was written: its fields by name, {@code when} and {@code who} among them. */
  public record Line(Map<String, String> fields) {
    public String field(String name) {
      return fields.getOrDefault(name, "");
    }
  }

  /**
   * Adds entries, durably; nothing where there are none.
   *
   * @throws IOException where nothing was added
   */
  public void append(List<Entry> entries) throws IOException {
    append(entries, Actor.current());
  }

  /** As {@link #append(List)}; what was done stands, whether it can be written down or not. */
  public void note(List<Entry> entries) {
    note(entries, Actor.current());
  }

  /**
   * As {@link #note(List)}.
   *
   * @param who did it
   */
  public void note(List<Entry> entries, String who) {
    try {
      append(entries, who);
    } catch (IOException e) {
      log.error("the audit log cannot be written: {}", e.toString());
    }
  }

  /**
   * As {@link #append(List)}.
   *
   * @param who did it
   */
  public void append(List<Entry> entries, String who) throws IOException {
    if (entries.isEmpty()) {
      return;
    }
    synchronized (LOCK) {
      write(entries, who);
    }
  }

  private void write(List<Entry> entries, String who) throws IOException {
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
    entries.forEach(entry -> log.writeBytes(line(entry, who)));
    disk.replaceDurably(List.of(new Disk.Image(file, log.toByteArray())));
  }

  /**
   * The latest lines, the last one last; a line that cannot be read is passed over.
   *
   * @param most how many
   */
  public List<Line> latest(int most) throws IOException {
    Deque<Line> lines = new ArrayDeque<>();
    for (int n = 0; n <= KEPT && lines.size() < most; n++) {
      Path file = n == 0 ? own.resolve(OwnNames.AUDIT) : numbered(n);
      if (disk.kind(file) != Disk.Kind.FILE) {
        break;
      }
      String text = new String(disk.read(file), StandardCharsets.UTF_8);
      for (String line : text.lines().toList().reversed()) {
        if (lines.size() < most) {
          read(line).ifPresent(lines::addFirst);
        }
      }
    }
    return List.copyOf(lines);
  }

  private static Optional<Line> read(String line) {
    try {
      return Optional.of(new Line(JsonFile.scalars(line.getBytes(StandardCharsets.UTF_8))));
    } catch (FormatException e) {
      return Optional.empty();
    }
  }

  private byte[] line(Entry entry, String who) {
    return JsonFile.line(json -> {
      json.writeStringField("when", clock.instant().toString());
      json.writeStringField("who", who);
      json.writeStringField("what", entry.what());
      json.writeStringField("folder", entry.folder());
      json.writeStringField("file", entry.file());
      json.writeStringField("why", entry.why());
      json.writeStringField("kept", entry.kept());
      json.writeStringField("before", entry.before());
      json.writeStringField("after", entry.after());
      json.writeStringField("source", entry.source());
      json.writeStringField("lossless", entry.lossless());
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
