package dev.contextd.storage.check;

import static dev.contextd.storage.check.Checked.document;
import static dev.contextd.storage.check.Checked.put;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each damage that a document's file can have: how it comes, what it costs, how it is mended. */
class DocumentDamageTest {
  private static final String NAME = Names.hash("notes");

  @TempDir Path root;
  private Path folder = Path.of("");
  private String fileA = "";

  /** Three documents of dimension 2. */
  @BeforeEach
  void writeACollection() throws Exception {
    folder = Checked.collection(root, "notes");
    fileA = String.valueOf(put(folder, "a", 1, 0).getFileName());
    put(folder, "b", 0, 1);
    put(folder, "c", 0.6f, 0.8f);
  }

  private Checked requireServed(String... ids) throws IOException {
    Checked checked = Checked.of(root);
    assertThat(checked.documents(NAME)).containsOnlyKeys(ids);
    assertThat(checked.folder(NAME).served()).isEqualTo(ids.length);
    return checked;
  }

  private static void requireLost(Checked checked, Damage damage, Class<? extends Repair> repair) {
    checked.requireRepair(damage, Damage.Loss.DOCUMENT, repair);
    assertThat(checked.folder(NAME).health()).isEqualTo(FolderReport.Health.CORRUPT);
    assertThat(checked.folder(NAME).isServed()).isTrue();
    assertThat(checked.folder(NAME).unserved()).isEqualTo(1);
  }

  private static void requireNothingLost(Checked checked, Damage damage) {
    checked.requireRepair(damage, Damage.Loss.NOTHING, Repair.LeaveInPlace.class);
    assertThat(checked.folder(NAME).health()).isEqualTo(FolderReport.Health.HEALTHY);
  }

  @Test
  void documentUnreadable() throws Exception {
    byte[] good = Files.readAllBytes(folder.resolve(fileA));
    byte[] metadata = Files.readAllBytes(folder.resolve("00000000.gob"));
    byte[] cut = Arrays.copyOf(good, good.length - 1);
    for (byte[] bad : new byte[][] {{}, new byte[100], cut, metadata, {0x1f, (byte) 0x8b, 8}}) {
      Files.write(folder.resolve(fileA), bad);
      Checked checked = requireServed("b", "c");
      Damage.DocumentUnreadable damage = checked.only(Damage.DocumentUnreadable.class);
      assertThat(damage.file()).isEqualTo(fileA);
      requireLost(checked, damage, Repair.QuarantineFile.class);
    }
  }

  @Test
  void documentCopy() throws Exception {
    for (String name : new String[] {"copy of a.gob", "00000001.gob", "~.gob", fileA + ".gob"}) {
      Path copy = Files.copy(folder.resolve(fileA), folder.resolve(name));
      Checked checked = requireServed("a", "b", "c");
      Damage damage = checked.only(Damage.DocumentCopy.class);
      assertThat(damage).isEqualTo(new Damage.DocumentCopy(NAME, name, "a", fileA));
      requireNothingLost(checked, damage);
      Files.delete(copy);
    }
  }

  @Test
  void aStrayCopyOfAnOldVersionReplacesNothing() throws Exception {
    Files.move(folder.resolve(fileA), folder.resolve("zz-old.gob"));
    put(folder, "a", 0, -1);
    Checked checked = requireServed("a", "b", "c");
    Damage damage = checked.only(Damage.DocumentMisplaced.class);
    assertThat(damage).isEqualTo(new Damage.DocumentMisplaced(NAME, "zz-old.gob", "a", fileA));
    requireLost(checked, damage, Repair.QuarantineFile.class);
  }

  @Test
  void aStrayCopyBringsNoDeletedDocumentBack() throws Exception {
    Files.move(folder.resolve(fileA), folder.resolve("stray.gob"));
    Checked checked = requireServed("b", "c");
    requireLost(checked, checked.only(Damage.DocumentMisplaced.class), Repair.QuarantineFile.class);
  }

  @Test
  void aDocumentInAnothersFileCostsTheOtherOnly() throws Exception {
    Files.write(folder.resolve(fileA), document("foreign", "x", 1, 0));
    Checked checked = requireServed("b", "c");
    Damage damage = checked.only(Damage.DocumentMisplaced.class);
    assertThat(damage)
        .isEqualTo(
            new Damage.DocumentMisplaced(NAME, fileA, "foreign", Names.hash("foreign") + ".gob"));
  }

  @Test
  void documentDuplicateUnderANumberedNameLosesToThePlainOne() throws Exception {
    String numbered = Names.hash("a") + "-1.gob";
    Files.write(folder.resolve(numbered), document("a", "older", 1, 0));
    Checked checked = requireServed("a", "b", "c");
    Damage damage = checked.only(Damage.DocumentDuplicate.class);
    assertThat(damage).isEqualTo(new Damage.DocumentDuplicate(NAME, numbered, "a", fileA));
    assertThat(checked.content(NAME, "a")).isEqualTo("text of a");
    requireLost(checked, damage, Repair.QuarantineFile.class);
  }

  @Test
  void ofTwoNumberedNamesTheLastInOrderIsServed() throws Exception {
    Files.delete(folder.resolve(fileA));
    String hash = Names.hash("a");
    Files.write(folder.resolve(hash + "-1.gob"), document("a", "one", 1, 0));
    Files.write(folder.resolve(hash + "-2.gob"), document("a", "two", 1, 0));
    Checked checked = requireServed("a", "b", "c");
    assertThat(checked.content(NAME, "a")).isEqualTo("two");
    checked.only(Damage.DocumentDuplicate.class);
  }

  @Test
  void documentDuplicateOfTheOtherKindLosesToTheFoldersOwn() throws Exception {
    String zipped = Names.hash("a") + ".gob.gz";
    StoredDocument other = new StoredDocument("a", Map.of(), new float[] {1, 0}, "zipped");
    Files.write(folder.resolve(zipped), DocumentFormat.encode(other, Compression.GZIP));
    Checked checked = requireServed("a", "b", "c");
    assertThat(checked.only(Damage.DocumentDuplicate.class).file()).isEqualTo(zipped);
    assertThat(checked.content(NAME, "a")).isEqualTo("text of a");
  }

  @Test
  void theSameVersionOfTheOtherKindIsACopy() throws Exception {
    StoredDocument same = new StoredDocument("a", null, new float[] {1, 0}, "text of a");
    String zipped = Names.hash("a") + ".gob.gz";
    Files.write(folder.resolve(zipped), DocumentFormat.encode(same, Compression.GZIP));
    Checked checked = requireServed("a", "b", "c");
    requireNothingLost(checked, checked.only(Damage.DocumentCopy.class));
  }

  @Test
  void documentsWhoseIdsCollideAreNoDuplicates() throws Exception {
    Files.write(folder.resolve("23590e50.gob"), document("doc-17633", "x", 1, 0));
    Files.write(folder.resolve("23590e50-1.gob"), document("doc-29150", "y", 1, 0));
    Files.write(folder.resolve("00000000-1.gob"), document("doc-7113356497", "z", 1, 0));
    Checked checked = requireServed("a", "b", "c", "doc-17633", "doc-29150", "doc-7113356497");
    assertThat(checked.report().damage()).isEmpty();
  }

  @Test
  void dimensionMismatch() throws Exception {
    put(folder, "a", 1, 0, 0);
    Checked checked = requireServed("b", "c");
    Damage damage = checked.only(Damage.DimensionMismatch.class);
    assertThat(damage).isEqualTo(new Damage.DimensionMismatch(NAME, fileA, "a", 2, 3));
    requireLost(checked, damage, Repair.LeaveInPlace.class);
  }

  @Test
  void theMajorityDecidesTheDimensionWhateverComesFirst() throws Exception {
    for (int i = 0; i < 4; i++) {
      put(folder, "wide-" + i, 1, 0, 0);
    }
    Checked checked = requireServed("wide-0", "wide-1", "wide-2", "wide-3");
    assertThat(checked.report().damage())
        .hasSize(3)
        .allMatch(found -> found instanceof Damage.DimensionMismatch);
    assertThat(checked.intact().get(NAME)).matches(found -> found.dimension() == 3);
  }

  @Test
  void vectorsThatCannotBeSearchedHaveNoVote() throws Exception {
    for (int i = 0; i < 9; i++) {
      put(folder, "zero-" + i, 0, 0, 0);
    }
    Checked checked = requireServed("a", "b", "c");
    assertThat(checked.report().damage())
        .hasSize(9)
        .allMatch(found -> found instanceof Damage.VectorUnusable);
  }

  @Test
  void vectorUnusable() throws Exception {
    float[][] bad = {
      {},
      {0, 0},
      {-0f, 0},
      {Float.NaN, 1},
      {1, Float.POSITIVE_INFINITY},
      {Float.NEGATIVE_INFINITY, 0}
    };
    for (float[] vector : bad) {
      put(folder, "a", vector);
      Checked checked = requireServed("b", "c");
      Damage.VectorUnusable damage = checked.only(Damage.VectorUnusable.class);
      assertThat(damage.file()).isEqualTo(fileA);
      requireLost(checked, damage, Repair.LeaveInPlace.class);
    }
  }

  @Test
  void vectorsOfAnyFiniteLengthAreServed() throws Exception {
    put(folder, "a", Float.MIN_VALUE, 0);
    put(folder, "b", Float.MAX_VALUE, -Float.MAX_VALUE);
    assertThat(requireServed("a", "b", "c").report().damage()).isEmpty();
  }

  @Test
  void textNotUtf8() throws Exception {
    byte[] bytes = document("a", "caf\u00e9!", 1, 0);
    String latin = new String(bytes, ISO_8859_1);
    bytes[latin.indexOf("caf") + 3] = (byte) 0xe9;
    Files.write(folder.resolve(fileA), bytes);
    Checked checked = requireServed("a", "b", "c");
    Damage damage = checked.only(Damage.TextNotUtf8.class);
    assertThat(damage).isEqualTo(new Damage.TextNotUtf8(NAME, fileA));
    assertThat(checked.content(NAME, "a")).startsWith("caf\uFFFD");
    requireNothingLost(checked, damage);
  }

  @Test
  void anIdThatIsNotUtf8IsProvenByItsBytes() throws Exception {
    byte[] bytes = document("idX", "text", 1, 0);
    String latin = new String(bytes, ISO_8859_1);
    bytes[latin.indexOf("idX") + 2] = (byte) 0xff;
    String file = sha256Prefix(new byte[] {'i', 'd', (byte) 0xff}) + ".gob";
    Files.write(folder.resolve(file), bytes);
    Checked checked = requireServed("a", "b", "c", "id\uFFFD");
    checked.only(Damage.TextNotUtf8.class);
  }

  private static String sha256Prefix(byte[] bytes) {
    return java.util.HexFormat.of().formatHex(Names.sha256().digest(bytes), 0, 4);
  }

  @Test
  void trailingBytes() throws Exception {
    byte[] good = Files.readAllBytes(folder.resolve(fileA));
    Files.write(folder.resolve(fileA), Arrays.copyOf(good, good.length + 3));
    Checked checked = requireServed("a", "b", "c");
    Damage damage = checked.only(Damage.TrailingBytes.class);
    assertThat(damage).isEqualTo(new Damage.TrailingBytes(NAME, fileA, 3));
    requireNothingLost(checked, damage);
  }

  @Test
  void gzipContentInAPlainFileIsServed() throws Exception {
    StoredDocument document = new StoredDocument("a", null, new float[] {1, 0}, "text");
    Files.write(folder.resolve(fileA), DocumentFormat.encode(document, Compression.GZIP));
    assertThat(requireServed("a", "b", "c").report().damage()).isEmpty();
  }
}
