package dev.contextd.storage.backup;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Encryption;
import dev.contextd.storage.chromem.ExportFormat;
import dev.contextd.storage.chromem.ExportFormat.ExportedCollection;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A folder of backups, outside of the store.
 *
 * <pre>
 * runs/20261128T141500.000Z.run     what a run holds, see {@link BackupRun}
 * names/20261128T140000.000Z.run    the same without documents: names and metadata
 * content/ab/ab12...ef.gob          up to a few thousand documents of a collection
 * </pre>
 *
 * <p>Content is named by the SHA-256 of its bytes, so that runs share what did not change; where a
 * document begins a new file depends on ids alone, so that a change moves no others. A file of
 * content is a chromem-go export file of its own. With a key every file is encrypted as chromem-go
 * encrypts exports, and content is named by the HMAC-SHA-256 of its bytes under that key.
 *
 * <p>Invariants: a run is named only when all it holds was read back from the disk and is right;
 * content is removed only when no run names it and it is a day old.
 */
public final class BackupFolder {
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final Pattern RUN = Pattern.compile("\\d{8}T\\d{6}\\.\\d{3}Z(\\.\\d{1,4})?");
  private static final Pattern CONTENT = Pattern.compile("[0-9a-f]{64}");
  private static final String RUN_FILE = ".run";
  private static final String CONTENT_FILE = ".gob";
  private static final String MAC = "HmacSHA256";

  /** One id in so many ends a file of content. */
  private static final int MEAN_DOCUMENTS = 512;

  private static final int MAX_DOCUMENTS = 4_096;

  /** Another process may be writing a run that will name what no run names yet. */
  private static final Duration GRACE = Duration.ofDays(1);

  private final Disk disk;
  private final Path folder;
  private final Optional<byte[]> key;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param key of {@value ExportFormat#KEY_BYTES} bytes; empty for backups that anybody can read
   */
  public BackupFolder(Disk disk, Path folder, Optional<byte[]> key) {
    this.disk = disk;
    this.folder = folder;
    this.key = key;
  }

  /** Which runs. */
  public enum Kind {
    FULL("runs"),
    NAMES("names");

    private final String directory;

    Kind(String directory) {
      this.directory = directory;
    }
  }

  public Path folder() {
    return folder;
  }

  /** Names of runs, the oldest first. */
  public List<String> runs(Kind kind) throws IOException {
    Path directory = folder.resolve(kind.directory);
    if (disk.kind(directory) != Disk.Kind.DIRECTORY) {
      return List.of();
    }
    return disk.list(directory).stream()
        .map(Disk.Entry::name)
        .filter(name -> name.endsWith(RUN_FILE))
        .map(name -> name.substring(0, name.length() - RUN_FILE.length()))
        .filter(name -> RUN.matcher(name).matches())
        .sorted()
        .toList();
  }

  /**
   * Reads what a run holds.
   *
   * @throws FormatException where it is damaged, or encrypted with another key
   * @throws IOException where it cannot be opened
   */
  public BackupRun read(Kind kind, String run) throws IOException, FormatException {
    if (!RUN.matcher(run).matches()) {
      throw new FormatException("\"" + run + "\" is no name of a run");
    }
    return BackupRun.decode(plain(disk.read(file(kind, run))));
  }

  private Path file(Kind kind, String run) {
    return folder.resolve(kind.directory).resolve(run + RUN_FILE);
  }

  /**
   * Writes the documents of a collection where no run has written the same.
   *
   * @param documents in order of ids, each id once
   * @return names of the content, for the run
   */
  public List<String> write(String collection, Iterator<StoredDocument> documents)
      throws IOException {
    List<String> names = new ArrayList<>();
    List<StoredDocument> chunk = new ArrayList<>();
    while (documents.hasNext()) {
      StoredDocument document = documents.next();
      chunk.add(document);
      boolean isBoundary =
          Integer.parseUnsignedInt(Names.hash(document.id()), 16) % MEAN_DOCUMENTS == 0;
      if (isBoundary || chunk.size() >= MAX_DOCUMENTS) {
        names.add(put(collection, chunk));
        chunk.clear();
      }
    }
    if (!chunk.isEmpty()) {
      names.add(put(collection, chunk));
    }
    return names;
  }

  private String put(String collection, List<StoredDocument> documents) throws IOException {
    byte[] bytes =
        ExportFormat.encode(
            List.of(new ExportedCollection(new StoredCollection(collection, null), documents)),
            Compression.PLAIN,
            null,
            random);
    String name = nameOf(bytes);
    Path file = content(name);
    if (isRight(name)) {
      return name;
    }
    disk.createDirectories(file.resolveSibling(""));
    disk.replaceDurably(List.of(new Disk.Image(file, sealed(bytes))));
    if (!isRight(name)) {
      throw new IOException(file + " does not hold what was written to it");
    }
    return name;
  }

  private boolean isRight(String name) throws IOException {
    try {
      return disk.exists(content(name)) && nameOf(plain(disk.read(content(name)))).equals(name);
    } catch (FormatException e) {
      return false;
    }
  }

  /**
   * Names a run of which all content is written, durably, and reads it back.
   *
   * @return its name
   */
  public String finish(Kind kind, BackupRun run) throws IOException {
    Path directory = folder.resolve(kind.directory);
    disk.createDirectories(directory);
    String stamp = STAMP.format(run.when());
    String name = stamp;
    for (int n = 2; disk.exists(file(kind, name)); n++) {
      name = stamp + "." + n;
    }
    disk.replaceDurably(List.of(new Disk.Image(file(kind, name), sealed(run.encode()))));
    try {
      if (!read(kind, name).equals(run)) {
        throw new IOException(file(kind, name) + " does not hold what was written to it");
      }
    } catch (FormatException e) {
      throw new IOException(file(kind, name) + " cannot be read back: " + e.reason(), e);
    }
    return name;
  }

  /** The SHA-256 of a run's file, 64 hexadecimal digits. */
  public String sha256(Kind kind, String name) throws IOException {
    return HexFormat.of().formatHex(disk.sum(file(kind, name)).sha256());
  }

  /**
   * Reads the documents of a file of content, and holds them against its name.
   *
   * @throws FormatException where it is damaged
   */
  public List<StoredDocument> documents(String name) throws IOException, FormatException {
    if (!CONTENT.matcher(name).matches()) {
      throw new FormatException("\"" + name + "\" is no name of content");
    }
    byte[] bytes = plain(disk.read(content(name)));
    if (!nameOf(bytes).equals(name)) {
      throw new FormatException("the content " + name + " fails its checksum");
    }
    List<StoredDocument> documents = new ArrayList<>();
    ExportFormat.decode(bytes, null).forEach(one -> documents.addAll(one.documents()));
    return documents;
  }

  /** Reads all that a run holds; returns what is wrong with it, a sentence each. */
  public List<String> verify(BackupRun run) {
    return verify(run, _ -> {});
  }

  /**
   * As {@link #verify(BackupRun)}.
   *
   * @param read takes the number of documents of each file that was read
   */
  public List<String> verify(BackupRun run, LongConsumer read) {
    List<String> faults = new ArrayList<>();
    for (BackupRun.Item item : run.collections()) {
      long found = 0;
      for (String chunk : item.chunks()) {
        try {
          int documents = documents(chunk).size();
          found += documents;
          read.accept(documents);
        } catch (FormatException e) {
          faults.add("\"%s\": %s".formatted(item.name(), e.reason()));
        } catch (IOException e) {
          faults.add("\"%s\": %s cannot be read: %s".formatted(item.name(), chunk, e.getMessage()));
        }
      }
      if (!item.chunks().isEmpty() && faults.isEmpty() && found != item.documents()) {
        faults.add(
            "\"%s\": %d documents, %d were backed up"
                .formatted(item.name(), found, item.documents()));
      }
    }
    return faults;
  }

  /**
   * Removes all runs but the newest, and content that none of them names.
   *
   * @param keep how many stay
   * @return how many runs went
   */
  public int prune(Kind kind, int keep, Instant now) throws IOException {
    List<String> runs = runs(kind);
    int gone = Math.max(0, runs.size() - keep);
    for (String run : runs.subList(0, gone)) {
      disk.remove(file(kind, run));
    }
    if (gone > 0 && kind == Kind.FULL) {
      removeUnnamed(now);
    }
    return gone;
  }

  /** Where a run cannot be read nobody knows what it names: nothing is removed. */
  private void removeUnnamed(Instant now) throws IOException {
    Set<String> named = new HashSet<>();
    for (String run : runs(Kind.FULL)) {
      try {
        read(Kind.FULL, run).collections().forEach(item -> named.addAll(item.chunks()));
      } catch (FormatException e) {
        return;
      }
    }
    long limit = now.minus(GRACE).toEpochMilli();
    for (Disk.Entry directory : disk.list(folder.resolve("content"))) {
      if (directory.kind() != Disk.Kind.DIRECTORY) {
        continue;
      }
      for (Disk.Entry file : disk.list(directory.path())) {
        String name = file.name().replace(CONTENT_FILE, "");
        boolean isOld = file.modifiedNanos() / 1_000_000 < limit;
        if (CONTENT.matcher(name).matches() && isOld && !named.contains(name)) {
          disk.remove(file.path());
        }
      }
    }
  }

  private Path content(String name) {
    return folder.resolve("content").resolve(name.substring(0, 2)).resolve(name + CONTENT_FILE);
  }

  private String nameOf(byte[] bytes) {
    if (key.isEmpty()) {
      return HexFormat.of().formatHex(Names.sha256().digest(bytes));
    }
    try {
      Mac mac = Mac.getInstance(MAC);
      mac.init(new SecretKeySpec(key.get(), MAC));
      return HexFormat.of().formatHex(mac.doFinal(bytes));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has " + MAC, e);
    }
  }

  private byte[] sealed(byte[] bytes) {
    return key.map(secret -> Encryption.encrypt(bytes, secret, random)).orElse(bytes);
  }

  private byte[] plain(byte[] file) throws FormatException {
    return key.isPresent() ? Encryption.decrypt(file, key.get()) : file;
  }
}
