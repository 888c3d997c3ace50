package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.FixtureData.Doc;
import dev.contextd.storage.FixtureData.Expected;
import dev.contextd.storage.chromem.ExportFormat.ExportedCollection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What chromem-go wrote is read as chromem-go itself reads it, to the last bit. */
class FixtureDecodingTest {

  @ParameterizedTest
  @ValueSource(strings = {"plain", "gzip"})
  void everyFileHoldsWhatChromemGoSays(String kind) throws Exception {
    for (Expected expected : FixtureData.expected(kind)) {
      List<Doc> documents = new ArrayList<>();
      for (Path file : filesIn(kind, expected.folder())) {
        byte[] bytes = Files.readAllBytes(file);
        if (file.getFileName().toString().startsWith(Names.METADATA_HASH)) {
          assertThat(MetadataFormat.decode(bytes))
              .isEqualTo(new Decoded<>(expected.collection(), expected.folder(), true, 0));
        } else {
          documents.add(decodeDocument(file, bytes));
        }
      }
      documents.sort(Comparator.comparing(Doc::id));
      assertThat(documents).isEqualTo(expected.documents());
    }
  }

  private static List<Path> filesIn(String kind, String folder) throws IOException {
    return FixtureData.files(kind).stream()
        .filter(file -> file.startsWith(FixtureData.path(kind).resolve(folder)))
        .toList();
  }

  private static Doc decodeDocument(Path file, byte[] bytes) throws Exception {
    Decoded<StoredDocument> decoded = DocumentFormat.decode(bytes);
    assertThat(file.getFileName().toString()).startsWith(decoded.hash() + ".gob");
    assertThat(decoded.exactText()).isTrue();
    assertThat(decoded.trailingBytes()).isZero();
    return Doc.of(decoded.value());
  }

  @ParameterizedTest
  @CsvSource({"export.gob,", "export.gob.gz,", "export.gob.gz.enc," + FixtureData.KEY})
  void everyExportHoldsWhatChromemGoSays(String file, @Nullable String key) throws Exception {
    byte[] secret = key == null ? null : key.getBytes(StandardCharsets.US_ASCII);
    List<ExportedCollection> exported =
        new ArrayList<>(ExportFormat.decode(FixtureData.bytes(file), secret));
    exported.sort(Comparator.comparing(found -> found.collection().name()));
    List<Expected> expected = FixtureData.expected("plain");
    assertThat(exported).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(exported.get(i).collection()).isEqualTo(expected.get(i).collection());
      assertThat(exported.get(i).documents().stream().map(Doc::of))
          .containsExactlyInAnyOrderElementsOf(expected.get(i).documents());
    }
  }

  @Test
  void theFixturesHoldTheCasesThatMatter() throws Exception {
    List<Expected> expected = FixtureData.expected("plain");
    List<Doc> memories =
        expected.stream()
            .filter(found -> found.folder().equals("e9f85bf6"))
            .findFirst()
            .orElseThrow()
            .documents();
    assertThat(memories).anyMatch(doc -> doc.metadata() == null);
    assertThat(memories).anyMatch(doc -> doc.content().isEmpty());
    assertThat(memories).anyMatch(doc -> doc.content().contains("\0"));
    assertThat(memories).anyMatch(doc -> doc.content().contains("🚨"));
    assertThat(expected)
        .anyMatch(found -> found.documents().isEmpty())
        .anyMatch(found -> Map.of().equals(found.collection().metadata()));
  }
}
