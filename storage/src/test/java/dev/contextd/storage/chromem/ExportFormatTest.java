package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.FixtureData.Doc;
import dev.contextd.storage.chromem.ExportFormat.ExportedCollection;
import dev.contextd.storage.gob.FormatException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole databases in one file: plain, gzip, encrypted. */
class ExportFormatTest {
  private static final byte[] KEY = FixtureData.KEY.getBytes(StandardCharsets.US_ASCII);

  private static List<ExportedCollection> database() {
    StoredDocument full =
        new StoredDocument("多", Map.of("k", "v"), new float[] {0.6f, -0f}, "\0🚨");
    StoredDocument bare = new StoredDocument("b", null, new float[0], "");
    StoredDocument empty = new StoredDocument("c", Map.of(), new float[] {Float.NaN}, "x");
    return List.of(
        new ExportedCollection(
            new StoredCollection("a", Map.of("m", "")), List.of(full, bare, empty)),
        new ExportedCollection(new StoredCollection("nothing", null), List.of()),
        new ExportedCollection(new StoredCollection("Grüße", Map.of()), List.of(bare)));
  }

  @ParameterizedTest
  @CsvSource({"PLAIN,false", "GZIP,false", "PLAIN,true", "GZIP,true"})
  void aDatabaseComesBack(Compression compression, boolean encrypted) throws Exception {
    byte[] key = encrypted ? KEY : null;
    byte[] file = ExportFormat.encode(database(), compression, key, new SecureRandom());
    requireSame(ExportFormat.decode(file, key), database());
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void anEmptyDatabaseComesBack(Compression compression) throws Exception {
    byte[] file = ExportFormat.encode(List.of(), compression, null, new SecureRandom());
    assertThat(ExportFormat.decode(file, null)).isEmpty();
  }

  private static void requireSame(List<ExportedCollection> found, List<ExportedCollection> wanted) {
    assertThat(found).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.size(); i++) {
      assertThat(found.get(i).collection()).isEqualTo(wanted.get(i).collection());
      assertThat(found.get(i).documents().stream().map(Doc::of))
          .containsExactlyElementsOf(wanted.get(i).documents().stream().map(Doc::of).toList());
    }
  }

  @Test
  void everyEncryptionHasItsOwnNonce() {
    byte[] one = ExportFormat.encode(database(), Compression.PLAIN, KEY, new SecureRandom());
    byte[] two = ExportFormat.encode(database(), Compression.PLAIN, KEY, new SecureRandom());
    assertThat(Arrays.copyOf(one, 12)).isNotEqualTo(Arrays.copyOf(two, 12));
  }

  @Test
  void anotherKeyIsRefused() throws Exception {
    byte[] other = Arrays.copyOf(KEY, KEY.length);
    other[31] ^= 1;
    byte[] file = FixtureData.bytes("export.gob.gz.enc");
    assertThatThrownBy(() -> ExportFormat.decode(file, other))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("the key is not this file's");
    assertThatThrownBy(() -> ExportFormat.decode(file, null)).isInstanceOf(FormatException.class);
    byte[] readable = FixtureData.bytes("export.gob");
    assertThatThrownBy(() -> ExportFormat.decode(readable, KEY))
        .isInstanceOf(FormatException.class);
  }

  @Test
  void everyFlipAndEveryCutOfAnEncryptedFileIsRefused() throws Exception {
    byte[] file = FixtureData.bytes("export.gob.gz.enc");
    for (int i = 0; i < file.length; i++) {
      byte[] cut = Arrays.copyOf(file, i);
      assertThatThrownBy(() -> ExportFormat.decode(cut, KEY)).isInstanceOf(FormatException.class);
      byte[] flipped = FixtureData.flipped(file, i * Byte.SIZE + i % Byte.SIZE);
      assertThatThrownBy(() -> ExportFormat.decode(flipped, KEY))
          .isInstanceOf(FormatException.class);
    }
  }

  @Test
  void aDocumentIsNoExport() throws Exception {
    byte[] document = FixtureData.bytes("plain/e9f85bf6/11ad2331.gob");
    assertThatThrownBy(() -> ExportFormat.decode(document, null))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("not an export");
    assertThatThrownBy(() -> ExportFormat.decode(new byte[0], null))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("empty");
  }
}
