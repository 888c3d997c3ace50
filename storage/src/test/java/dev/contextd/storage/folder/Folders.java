package dev.contextd.storage.folder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.KnownStore;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What the tests of this package share. */
final class Folders {
  static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-23T23:11:25.123Z"), ZoneOffset.UTC);

  private Folders() {}

  static StoreFolder store(Path root) {
    return store(root, new LocalDisk());
  }

  static StoreFolder store(Path root, Disk disk) {
    return new StoreFolder(disk, root, CLOCK);
  }

  static StoredDocument document(String id, String content) {
    return new StoredDocument(id, Map.of(), new float[] {1, 0}, content);
  }

  /** Writes a document into the file that is its own; returns the file's name. */
  static String write(CollectionFolder folder, String id, String content) throws IOException {
    String file = folder.defaultFile(id);
    folder.create(document(id, content), file);
    return file;
  }

  /** What the check finds intact; the test says how much damage it expects. */
  static List<IntactCollection> intact(Path root, int damages) throws IOException {
    List<IntactCollection> found = new ArrayList<>();
    CheckReport report =
        new StoreCheck(new LocalDisk(), Workers.common())
            .check(root, KnownStore.NOTHING, found::add);
    assertThat(report.damage()).hasSize(damages);
    return found;
  }

  /** Every file below a folder with the digest of its content. */
  static Map<String, String> digests(Path folder) throws IOException {
    Map<String, String> digests = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path file : walk.filter(Files::isRegularFile).toList()) {
        digests.put(folder.relativize(file).toString(), sha256(Files.readAllBytes(file)));
      }
    }
    return digests;
  }

  static String sha256(byte[] content) {
    return HexFormat.of().formatHex(Names.sha256().digest(content));
  }
}
