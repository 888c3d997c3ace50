package dev.contextd.storage.folder;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Damaged things, moved out of the way and never deleted.
 *
 * <pre>
 * .quarantine/e9f85bf6/                       a collection's folder, as it was
 * .quarantine/e9f85bf6.json                   its note
 * .quarantine/e9f85bf6.3af7a34d/3af7a34d.gob  a document's file, as it was
 * .quarantine/e9f85bf6.3af7a34d.json          its note
 * </pre>
 *
 * <p>A second thing of the same name becomes {@code <name>.2}. A note is a JSON object: {@code
 * version}, {@code what}, {@code when}, {@code why}, {@code kind}, {@code from}, {@code folder},
 * {@code file}, {@code reviewed}, {@code mended}, {@code checksum} (a {@link Checksum}), and {@code
 * files}, a list of {@code path}, {@code bytes}, {@code sha256}.
 *
 * <p>Invariants: nothing is deleted or written over; a thing is either where it was, or in
 * quarantine whole. A crash between the move and its note leaves an entry without note, which is
 * listed all the same.
 */
public final class Quarantine {
  private static final int VERSION = 1;
  private static final String NOTE = ".json";
  private static final String NOTE_IN_TRASH = "quarantine.json";
  private static final int MAX_NAME_BYTES = 200;

  private final Disk disk;
  private final Path root;
  private final Path directory;
  private final Clock clock;

  Quarantine(Disk disk, Path root, Clock clock) {
    this.disk = disk;
    this.root = root;
    this.directory = root.resolve(Names.QUARANTINE);
    this.clock = clock;
  }

  /**
   * Moves a collection's folder, or one file of it.
   *
   * @param file empty for the whole folder
   * @param kind of damage, a stable word
   * @param why the damage in one sentence
   * @return the name of the entry
   * @throws IOException where the thing is still in its place
   */
  public String move(String folder, String file, String kind, String why) throws IOException {
    return move(folder, file, kind, why, false);
  }

  /**
   * Moves a file of which everything is served all the same, because it is written again from
   * another copy; it costs nobody anything.
   */
  public String moveMended(String folder, String file, String kind, String why) throws IOException {
    return move(folder, file, kind, why, true);
  }

  private String move(String folder, String file, String kind, String why, boolean isMended)
      throws IOException {
    return moveFrom(path(folder, file), folder, file, kind, why, isMended);
  }

  private String moveFrom(
      Path source, String folder, String file, String kind, String why, boolean isMended)
      throws IOException {
    prepare();
    Map<String, FileSum> sums = sums(source, file.isEmpty());
    Path entry = FreshName.in(disk, directory, entryName(folder, file), NOTE);
    Path target = entry;
    if (!file.isEmpty()) {
      disk.createDirectories(entry);
      target = entry.resolve(file);
    }
    try {
      disk.move(source, target);
    } catch (IOException e) {
      if (!file.isEmpty()) {
        disk.removeEmptyDirectory(entry);
      }
      throw e;
    }
    byte[] note = note(folder, file, kind, why, isMended, sums);
    Path noteFile = directory.resolve(entry.getFileName() + NOTE);
    try {
      disk.replaceDurably(List.of(new Disk.Image(noteFile, note)));
    } catch (IOException e) {
      disk.move(target, source);
      if (!file.isEmpty()) {
        disk.removeEmptyDirectory(entry);
      }
      throw e;
    }
    return String.valueOf(entry.getFileName());
  }

  /** What lies in quarantine, in order of names. */
  public List<QuarantineEntry> list() throws IOException {
    List<QuarantineEntry> entries = new ArrayList<>();
    if (disk.exists(directory)) {
      if (disk.kind(directory) != Disk.Kind.DIRECTORY) {
        throw new IOException(directory + " must be a folder, not a link");
      }
      for (Disk.Entry entry : disk.list(directory)) {
        if (entry.kind() == Disk.Kind.DIRECTORY) {
          read(entry).ifPresent(entries::add);
        }
      }
    }
    return entries;
  }

  /** The {@link Checksum} of what an entry holds; empty where its note is missing. */
  public String checksumOf(String entry) {
    try {
      return JsonFile.scalars(disk.read(directory.resolve(entry + NOTE)))
          .getOrDefault("checksum", "");
    } catch (IOException | FormatException e) {
      return "";
    }
  }

  /** The folder that an entry is. */
  public Disk.Entry folderOf(QuarantineEntry entry) {
    return new Disk.Entry(directory, entry.name(), Disk.Kind.DIRECTORY, 0, 0);
  }

  /** Moves an entry to the trash, durably, and its note with it. */
  public void discard(QuarantineEntry entry, Trash trash) throws IOException {
    Path target = trash.moveDurably(directory.resolve(entry.name()));
    Path note = directory.resolve(entry.name() + NOTE);
    if (disk.exists(note)) {
      disk.move(note, FreshName.in(disk, target, NOTE_IN_TRASH, ""));
    }
  }

  /**
   * Makes a file of an entry an entry of its own: what cannot be read stays when the rest goes.
   *
   * @return the name of the new entry
   */
  public String split(QuarantineEntry entry, String file, String kind, String why)
      throws IOException {
    Path source = directory.resolve(entry.name()).resolve(file);
    return moveFrom(source, entry.folder(), file, kind, why, false);
  }

  /** The check tells names as text; one that this system cannot turn back into a path stays. */
  private Path path(String folder, String file) throws IOException {
    try {
      return file.isEmpty() ? root.resolve(folder) : root.resolve(folder).resolve(file);
    } catch (InvalidPathException e) {
      throw new IOException(root + " holds a name that is no path here: " + e.getReason(), e);
    }
  }

  private void prepare() throws IOException {
    disk.createRealDirectory(directory);
  }

  /** An entry of a single file that is empty was never filled: a crash came before the move. */
  private Optional<QuarantineEntry> read(Disk.Entry entry) {
    Map<String, String> note = Map.of();
    OptionalInt documents;
    String file = "";
    try {
      List<Disk.Entry> files = disk.list(entry.path());
      file = onlyFile(entry, files);
      documents = OptionalInt.of((int) files.stream().filter(Quarantine::isDocument).count());
      if (files.isEmpty() && entry.name().contains(".")) {
        return Optional.empty();
      }
    } catch (IOException e) {
      documents = OptionalInt.empty();
    }
    try {
      note = JsonFile.scalars(disk.read(directory.resolve(entry.name() + NOTE)));
    } catch (IOException | FormatException e) {
      // The entry counts without its note; what can be told is told from its name.
    }
    int dot = entry.name().indexOf('.');
    String folder = dot < 0 ? entry.name() : entry.name().substring(0, dot);
    return Optional.of(
        new QuarantineEntry(
            entry.name(),
            note.getOrDefault("folder", folder),
            note.getOrDefault("file", file),
            note.getOrDefault("why", ""),
            note.getOrDefault("when", ""),
            note.getOrDefault("kind", ""),
            documents,
            Boolean.parseBoolean(note.getOrDefault("reviewed", "false")),
            Boolean.parseBoolean(note.getOrDefault("mended", "false")),
            note.getOrDefault("checksum", "")));
  }

  /** The document's file of an entry {@code <folder>.<stem>}, for which no note is needed. */
  private static String onlyFile(Disk.Entry entry, List<Disk.Entry> files) {
    if (files.size() != 1 || !isDocument(files.getFirst())) {
      return "";
    }
    String name = files.getFirst().name();
    String stem = Compression.ofFileName(name).orElseThrow().stem(name);
    return entry.name().contains("." + stem) ? name : "";
  }

  private static boolean isDocument(Disk.Entry entry) {
    return Compression.ofFileName(entry.name())
        .filter(kind -> !kind.stem(entry.name()).equals(Names.METADATA_HASH))
        .isPresent();
  }

  private static String entryName(String folder, String file) {
    String stem = Compression.ofFileName(file).map(kind -> kind.stem(file)).orElse(file);
    String name = file.isEmpty() ? folder : folder + "." + stem;
    return name.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME_BYTES
        ? name
        : Names.hash(folder) + "." + Names.hash(name);
  }

  /** What is known of a file before it is moved; an unreadable one has the reason as its sum. */
  private record FileSum(long bytes, String sha256) {}

  private Map<String, FileSum> sums(Path source, boolean isFolder) throws IOException {
    Map<String, FileSum> sums = new LinkedHashMap<>();
    if (isFolder) {
      for (Disk.Entry entry : disk.list(source)) {
        sums.put(entry.name(), sum(entry.path()));
      }
    } else {
      sums.put(String.valueOf(source.getFileName()), sum(source));
    }
    return sums;
  }

  private FileSum sum(Path file) throws IOException {
    if (disk.kind(file) != Disk.Kind.FILE) {
      return new FileSum(0, "not a file");
    }
    try {
      Disk.Sum sum = disk.sum(file);
      return new FileSum(sum.bytes(), HexFormat.of().formatHex(sum.sha256()));
    } catch (IOException e) {
      return new FileSum(0, "unreadable: " + e.getMessage());
    }
  }

  private static String checksum(boolean isFolder, Map<String, FileSum> sums) {
    if (!isFolder) {
      return Checksum.ofFile(sums.values().iterator().next().sha256());
    }
    MessageDigest lines = Names.sha256();
    sums.forEach((name, sum) ->
        lines.update((sum.sha256() + "  " + name + "\n").getBytes(StandardCharsets.UTF_8)));
    return Checksum.ofFolder(HexFormat.of().formatHex(lines.digest()));
  }

  private byte[] note(
      String folder,
      String file,
      String kind,
      String why,
      boolean isMended,
      Map<String, FileSum> sums) {
    return JsonFile.write(json -> {
      json.writeNumberField("version", VERSION);
      json.writeStringField("what", file.isEmpty() ? "collection" : "document");
      json.writeStringField("when", clock.instant().toString());
      json.writeStringField("why", why);
      json.writeStringField("kind", kind);
      json.writeStringField("from", root.resolve(folder).resolve(file).toString());
      json.writeStringField("folder", folder);
      json.writeStringField("file", file);
      json.writeBooleanField("reviewed", false);
      json.writeBooleanField("mended", isMended);
      json.writeStringField("checksum", checksum(file.isEmpty(), sums));
      json.writeArrayFieldStart("files");
      for (var sum : sums.entrySet()) {
        json.writeStartObject();
        json.writeStringField("path", sum.getKey());
        json.writeNumberField("bytes", sum.getValue().bytes());
        json.writeStringField("sha256", sum.getValue().sha256());
        json.writeEndObject();
      }
      json.writeEndArray();
    });
  }
}
