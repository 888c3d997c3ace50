package dev.contextd.storage.backup;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.backup.BackupFolder.Kind;
import dev.contextd.storage.chromem.ExportFormat;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackupFolderTest {
  private static final Instant NOW = Instant.parse("2026-11-28T14:15:00.123Z");
  private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes(US_ASCII);

  @TempDir Path temp;

  private BackupFolder folder(Optional<byte[]> key) {
    return new BackupFolder(new LocalDisk(), temp, key);
  }

  private static List<StoredDocument> documents(int count) {
    List<StoredDocument> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(
          new StoredDocument(
              "id-%05d".formatted(i), Map.of("n", "" + i), new float[] {i, 0.1f}, "text " + i));
    }
    return all;
  }

  private static BackupRun run(Instant when, List<String> chunks, long documents) {
    return new BackupRun(
        when,
        "/store",
        List.of(
            new BackupRun.Item(
                new StoredCollection("notes", Map.of("a", "b")),
                "ab5aa970",
                Optional.of(new ModelRecord("m", 2)),
                true,
                documents,
                chunks)));
  }

  private List<Path> content() throws IOException {
    try (var files = Files.walk(temp.resolve("content"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasBackedUpComesBackBitForBit(boolean isEncrypted) throws Exception {
    BackupFolder folder = folder(isEncrypted ? Optional.of(KEY) : Optional.empty());
    List<StoredDocument> documents = documents(3_000);
    List<String> chunks = folder.write("notes", documents.iterator());
    assertThat(chunks.size()).isBetween(2, 30);
    BackupRun run = run(NOW, chunks, documents.size());
    String name = folder.finish(Kind.FULL, run);
    assertThat(name).isEqualTo("20261128T141500.123Z");
    assertThat(folder.runs(Kind.FULL)).containsExactly(name);
    assertThat(folder.read(Kind.FULL, name)).isEqualTo(run);
    assertThat(folder.verify(run)).isEmpty();
    List<StoredDocument> found = new ArrayList<>();
    for (String chunk : chunks) {
      found.addAll(folder.documents(chunk));
    }
    assertThat(found).hasSameSizeAs(documents);
    for (int i = 0; i < found.size(); i++) {
      assertThat(found.get(i).hasSameContentAs(documents.get(i))).isTrue();
    }
  }

  @Test
  void runsShareWhatDidNotChange() throws Exception {
    BackupFolder folder = folder(Optional.empty());
    List<StoredDocument> documents = documents(5_000);
    List<String> before = folder.write("notes", documents.iterator());
    documents.set(2_500, new StoredDocument("id-02500", null, new float[] {9, 9}, "changed"));
    documents.remove(100);
    List<String> after = folder.write("notes", documents.iterator());
    List<String> fresh = new ArrayList<>(after);
    fresh.removeAll(before);
    assertThat(fresh).hasSizeLessThanOrEqualTo(2);
    assertThat(after).hasSizeGreaterThan(4);
  }

  @Test
  void contentIsAnExportThatChromemGoCouldRead() throws Exception {
    folder(Optional.of(KEY)).write("notes", documents(3).iterator());
    assertThat(ExportFormat.decode(Files.readAllBytes(content().getFirst()), KEY))
        .singleElement()
        .satisfies(one -> assertThat(one.documents()).hasSize(3));
  }

  @Test
  void damageIsFoundAndTheNextRunMendsIt() throws Exception {
    BackupFolder folder = folder(Optional.empty());
    List<String> chunks = folder.write("notes", documents(10).iterator());
    BackupRun run = run(NOW, chunks, 10);
    byte[] bytes = Files.readAllBytes(content().getFirst());
    bytes[bytes.length / 2] ^= 1;
    Files.write(content().getFirst(), bytes);
    assertThat(folder.verify(run)).singleElement().asString().contains("fails its checksum");
    assertThatThrownBy(() -> folder.documents(chunks.getFirst()))
        .isInstanceOf(FormatException.class);
    assertThat(folder.write("notes", documents(10).iterator())).isEqualTo(chunks);
    assertThat(folder.verify(run)).isEmpty();
    Files.delete(content().getFirst());
    assertThat(folder.verify(run)).singleElement().asString().contains("cannot be read");
  }

  @Test
  void anotherKeyOrADamagedRunIsRefused() throws Exception {
    String name = folder(Optional.of(KEY)).finish(Kind.NAMES, run(NOW, List.of(), 7));
    byte[] other = "another-key-another-key-another-".getBytes(US_ASCII);
    assertThatThrownBy(() -> folder(Optional.of(other)).read(Kind.NAMES, name))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("key");
    assertThatThrownBy(() -> folder(Optional.empty()).read(Kind.NAMES, name))
        .isInstanceOf(FormatException.class);
    assertThatThrownBy(() -> folder(Optional.empty()).read(Kind.NAMES, "../" + name))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no name of a run");
  }

  @Test
  void onlyTheNewestRunsStayAndContentThatNoneNamesGoesAfterADay() throws Exception {
    BackupFolder folder = folder(Optional.empty());
    List<String> old = folder.write("notes", documents(10).iterator());
    folder.finish(Kind.FULL, run(NOW, old, 10));
    List<String> kept = folder.write("notes", documents(11).iterator());
    String last = folder.finish(Kind.FULL, run(NOW.plusSeconds(1), kept, 11));
    Instant now = Instant.now();
    assertThat(folder.prune(Kind.FULL, 1, now)).isEqualTo(1);
    assertThat(folder.runs(Kind.FULL)).containsExactly(last);
    assertThat(content()).hasSize(2);
    for (Path file : content()) {
      Files.setLastModifiedTime(file, FileTime.from(now.minusSeconds(100_000)));
    }
    folder.finish(Kind.FULL, run(NOW.plusSeconds(2), kept, 11));
    assertThat(folder.prune(Kind.FULL, 1, now)).isEqualTo(1);
    assertThat(content()).singleElement().asString().contains(kept.getFirst());
  }

  @Test
  void twoRunsOfOneMomentHaveTwoNames() throws Exception {
    BackupFolder folder = folder(Optional.empty());
    folder.finish(Kind.NAMES, run(NOW, List.of(), 1));
    folder.finish(Kind.NAMES, run(NOW, List.of(), 2));
    assertThat(folder.runs(Kind.NAMES))
        .containsExactly("20261128T141500.123Z", "20261128T141500.123Z.2");
  }
}
