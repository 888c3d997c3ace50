package dev.contextd.storage.check;

import static dev.contextd.storage.check.Checked.CHECKPOINTS;
import static dev.contextd.storage.check.Checked.MEMORIES;
import static dev.contextd.storage.check.Checked.REMEDIATIONS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.StoredCollection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each damage that a metadata file can have: how it comes, what it costs, how it is mended. */
class MetadataDamageTest {
  private static final String METADATA = "00000000.gob";

  @TempDir Path folder;
  private Path root = Path.of("");
  private Path memories = Path.of("");

  @BeforeEach
  void copyTheFixture() throws Exception {
    root = folder.resolve("store");
    Checked.fixture(root);
    memories = root.resolve(MEMORIES);
  }

  @Test
  void anIntactStoreHasNoDamage() throws Exception {
    for (String kind : new String[] {"plain", "gzip"}) {
      Path store = folder.resolve("copies").resolve(kind);
      FixtureData.copy(kind, store);
      Checked checked = Checked.of(store);
      assertThat(checked.report().damage()).isEmpty();
      assertThat(checked.report().files()).isEqualTo(49);
      checked.requireOthersWhole("");
    }
  }

  @Test
  void metadataMissing() throws Exception {
    Files.delete(memories.resolve(METADATA));
    Checked checked = Checked.of(root);
    Damage damage = checked.only(Damage.MetadataMissing.class);
    assertThat(damage).isEqualTo(new Damage.MetadataMissing(MEMORIES, 6));
    checked.requireRepair(damage, Damage.Loss.COLLECTION, Repair.QuarantineCollection.class);
    requireUnserved(checked);
  }

  private static void requireUnserved(Checked checked) {
    checked.requireOthersWhole(MEMORIES);
    assertThat(checked.intact()).doesNotContainKey(MEMORIES);
    FolderReport folder = checked.folder(MEMORIES);
    assertThat(folder.isServed()).isFalse();
    assertThat(folder.health()).isEqualTo(FolderReport.Health.CORRUPT);
    assertThat(folder.documentFiles()).isEqualTo(6);
    assertThat(folder.served()).isZero();
  }

  @Test
  void metadataUnreadable() throws Exception {
    byte[] good = Files.readAllBytes(memories.resolve(METADATA));
    byte[] zeros = new byte[good.length];
    byte[] truncated = Arrays.copyOf(good, good.length / 2);
    byte[] document = FixtureData.bytes("plain/e9f85bf6/11ad2331.gob");
    for (byte[] bad : new byte[][] {new byte[0], zeros, truncated, document, {1, 2, 3}}) {
      Files.write(memories.resolve(METADATA), bad);
      Checked checked = Checked.of(root);
      Damage.MetadataUnreadable damage = checked.only(Damage.MetadataUnreadable.class);
      assertThat(damage.file()).isEqualTo(METADATA);
      assertThat(damage.reason()).isNotBlank();
      checked.requireRepair(damage, Damage.Loss.COLLECTION, Repair.QuarantineCollection.class);
      requireUnserved(checked);
    }
  }

  @Test
  void aDocumentInPlaceOfMetadataIsNamedAsSuch() throws Exception {
    Files.write(memories.resolve(METADATA), FixtureData.bytes("plain/e9f85bf6/11ad2331.gob"));
    assertThat(Checked.of(root).only(Damage.MetadataUnreadable.class).reason())
        .contains("holds a document");
  }

  @Test
  void metadataMisplacedByARenamedFolder() throws Exception {
    Files.move(memories, root.resolve("my-backup"));
    Checked checked = Checked.of(root);
    Damage damage = checked.only(Damage.MetadataMisplaced.class);
    assertThat(damage)
        .isEqualTo(
            new Damage.MetadataMisplaced("my-backup", METADATA, "contextd_memories", MEMORIES));
    checked.requireRepair(damage, Damage.Loss.NOTHING, Repair.LeaveInPlace.class);
    assertThat(checked.documents("my-backup")).hasSize(6);
    assertThat(checked.folder("my-backup").health()).isEqualTo(FolderReport.Health.HEALTHY);
  }

  @Test
  void metadataSwappedBetweenTwoFoldersIsReportedForBoth() throws Exception {
    Path checkpoints = root.resolve(CHECKPOINTS).resolve(METADATA);
    byte[] other = Files.readAllBytes(checkpoints);
    Files.write(checkpoints, Files.readAllBytes(memories.resolve(METADATA)));
    Files.write(memories.resolve(METADATA), other);
    Checked checked = Checked.of(root);
    assertThat(checked.report().damage())
        .containsExactly(
            new Damage.MetadataMisplaced(CHECKPOINTS, METADATA, "contextd_memories", MEMORIES),
            new Damage.MetadataMisplaced(MEMORIES, METADATA, "contextd_checkpoints", CHECKPOINTS));
    assertThat(checked.documents(MEMORIES)).hasSize(6);
    assertThat(checked.documents(CHECKPOINTS)).hasSize(40);
  }

  @Test
  void nameClaimedTwiceByACopiedFolder() throws Exception {
    for (String copy : new String[] {"0-copy", MEMORIES + "-1", "z-copy"}) {
      copyMemoriesTo(root.resolve(copy));
      Checked checked = Checked.of(root);
      Damage damage = checked.only(Damage.NameClaimedTwice.class);
      assertThat(damage)
          .isEqualTo(new Damage.NameClaimedTwice(copy, METADATA, "contextd_memories", MEMORIES));
      checked.requireRepair(damage, Damage.Loss.COLLECTION, Repair.QuarantineCollection.class);
      checked.requireOthersWhole("");
      assertThat(checked.intact()).doesNotContainKey(copy);
      Files.move(root.resolve(copy), folder.resolve("aside-" + copy));
    }
  }

  private void copyMemoriesTo(Path target) throws IOException {
    Files.createDirectory(target);
    for (Path file : Checked.filesOf(memories)) {
      Files.copy(file, target.resolve(String.valueOf(file.getFileName())));
    }
  }

  @Test
  void ofTwoFoldersWithoutProofNeitherIsServed() throws Exception {
    copyMemoriesTo(root.resolve("copy"));
    Files.move(memories, root.resolve("renamed"));
    Checked checked = Checked.of(root);
    assertThat(checked.report().damage())
        .containsExactly(
            new Damage.NameClaimedTwice("copy", METADATA, "contextd_memories", "renamed"),
            new Damage.NameClaimedTwice("renamed", METADATA, "contextd_memories", "copy"));
    assertThat(checked.intact()).containsOnlyKeys(CHECKPOINTS, REMEDIATIONS);
  }

  @Test
  void metadataCopiedOverAnothersCostsOnlyTheOverwrittenOne() throws Exception {
    Files.write(
        memories.resolve(METADATA), FixtureData.bytes("plain/" + CHECKPOINTS + "/" + METADATA));
    Checked checked = Checked.of(root);
    assertThat(checked.only(Damage.NameClaimedTwice.class).folder()).isEqualTo(MEMORIES);
    assertThat(checked.folder(MEMORIES).name()).isEqualTo(Optional.of("contextd_checkpoints"));
    assertThat(checked.intact()).containsOnlyKeys(CHECKPOINTS, REMEDIATIONS);
  }

  @Test
  void aSecondMetadataFileIsLeftOver() throws Exception {
    byte[] zipped =
        MetadataFormat.encode(new StoredCollection("another", Map.of()), Compression.GZIP);
    Files.write(memories.resolve("00000000.gob.gz"), zipped);
    Checked checked = Checked.of(root);
    Damage damage = checked.only(Damage.Leftover.class);
    assertThat(damage.file()).isEqualTo("00000000.gob.gz");
    checked.requireOthersWhole("");
    assertThat(checked.intact().get(MEMORIES))
        .matches(found -> found.compression() == Compression.PLAIN);
  }

  @Test
  void aBadSecondMetadataFileIsLeftOver() throws Exception {
    Files.write(memories.resolve("00000000.gob.gz"), new byte[] {1, 2, 3});
    Checked checked = Checked.of(root);
    checked.only(Damage.Leftover.class);
    checked.requireOthersWhole("");
  }

  @Test
  void aSecondMetadataFileThatIsNoFileCostsNothing() throws Exception {
    Path second = memories.resolve("00000000.gob.gz");
    Files.createSymbolicLink(second, root.resolve("nowhere"));
    Checked linked = Checked.of(root);
    linked.only(Damage.Leftover.class);
    linked.requireOthersWhole("");
    Files.delete(second);
    Checked.makeFifo(second);
    Checked fifo = Checked.of(root);
    fifo.only(Damage.Leftover.class);
    fifo.requireOthersWhole("");
  }

  @Test
  void aGoodSecondMetadataFileStandsInForABadFirst() throws Exception {
    byte[] name = Files.readAllBytes(memories.resolve(METADATA));
    Files.write(
        memories.resolve("00000000.gob.gz"),
        MetadataFormat.encode(MetadataFormat.decode(name).value(), Compression.GZIP));
    Files.write(memories.resolve(METADATA), new byte[10]);
    Checked checked = Checked.of(root);
    assertThat(checked.only(Damage.Leftover.class).file()).isEqualTo(METADATA);
    checked.requireOthersWhole("");
  }

  @Test
  void metadataWithTrailingBytesIsServed() throws Exception {
    byte[] good = Files.readAllBytes(memories.resolve(METADATA));
    Files.write(memories.resolve(METADATA), Arrays.copyOf(good, good.length + 5));
    Checked checked = Checked.of(root);
    Damage damage = checked.only(Damage.TrailingBytes.class);
    assertThat(damage).isEqualTo(new Damage.TrailingBytes(MEMORIES, METADATA, 5));
    checked.requireRepair(damage, Damage.Loss.NOTHING, Repair.LeaveInPlace.class);
    checked.requireOthersWhole("");
  }

  @Test
  void anEmptyFolderIsEmptyAndNotCorrupt() throws Exception {
    Files.createDirectory(root.resolve("deadbeef"));
    Checked checked = Checked.of(root);
    assertThat(checked.report().damage()).isEmpty();
    assertThat(checked.folder("deadbeef").health()).isEqualTo(FolderReport.Health.EMPTY);
    assertThat(checked.intact()).doesNotContainKey("deadbeef");
  }

  @Test
  void metadataWithoutDocumentsIsHealthy() throws Exception {
    Checked checked = Checked.of(root);
    assertThat(checked.folder(REMEDIATIONS).health()).isEqualTo(FolderReport.Health.HEALTHY);
    assertThat(checked.intact().get(REMEDIATIONS)).matches(found -> found.dimension() == 0);
  }

  @Test
  void aGarbledNameIsProvenByItsBytes() throws Exception {
    byte[] good = Files.readAllBytes(memories.resolve(METADATA));
    String text = new String(good, java.nio.charset.StandardCharsets.ISO_8859_1);
    good[text.indexOf("contextd_memories") + 4] = (byte) 0xff;
    Files.write(memories.resolve(METADATA), good);
    Checked checked = Checked.of(root);
    assertThat(checked.report().damage())
        .extracting(found -> (Object) found.getClass())
        .containsExactly(Damage.TextNotUtf8.class, Damage.MetadataMisplaced.class);
    assertThat(checked.documents(MEMORIES)).hasSize(6);
  }
}
