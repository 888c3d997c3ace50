package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ContentSumTest {
  private static final StoredDocument DOCUMENT =
      new StoredDocument("id", Map.of("a", "1", "b", "2"), new float[] {1, -0.5f}, "content");

  /** Computed by hand of another program: SHA-256 over the bytes that the class describes. */
  @Test
  void theFormulaIsTheDocumentedOne() {
    assertThat(ContentSum.of(new StoredDocument("a", null, new float[] {1}, "")))
        .isEqualTo("04053e9226af8ee34465c1b32490cd19d5424319bc614bc6f238ed025b635552");
  }

  @Test
  void neitherTheOrderOfAMapNorAnAbsentOneMatters() {
    Map<String, String> turned = new LinkedHashMap<>();
    turned.put("b", "2");
    turned.put("a", "1");
    assertThat(ContentSum.of(new StoredDocument("id", turned, new float[] {1, -0.5f}, "content")))
        .isEqualTo(ContentSum.of(DOCUMENT));
    assertThat(ContentSum.of(new StoredCollection("c", null)))
        .isEqualTo(ContentSum.of(new StoredCollection("c", Map.of())));
  }

  @Test
  void everyFieldMatters() {
    Map<String, String> metadata = Objects.requireNonNull(DOCUMENT.metadata());
    List<StoredDocument> others =
        List.of(
            new StoredDocument("ic", metadata, new float[] {1, -0.5f}, "dontent"),
            new StoredDocument("idc", metadata, new float[] {1, -0.5f}, "ontent"),
            new StoredDocument("id", Map.of("a", "1"), new float[] {1, -0.5f}, "content"),
            new StoredDocument("id", metadata, new float[] {1, 0.5f}, "content"),
            new StoredDocument("id", metadata, new float[] {1, -0.5f, 0}, "content"));
    assertThat(others.stream().map(ContentSum::of).distinct()).hasSize(others.size());
    assertThat(others.stream().map(ContentSum::of)).doesNotContain(ContentSum.of(DOCUMENT));
  }

  @Test
  void aLargeVectorIsTakenWhole() {
    float[] large = new float[5_000];
    large[4_999] = 1;
    StoredDocument one = new StoredDocument("id", null, large, "");
    StoredDocument other = new StoredDocument("id", null, new float[5_000], "");
    assertThat(ContentSum.of(one)).isNotEqualTo(ContentSum.of(other));
    assertThat(ContentSum.of(List.of(one))).isNotEqualTo(ContentSum.of(List.of(other)));
    assertThat(ContentSum.of(List.of(one, other))).isNotEqualTo(ContentSum.of(List.of(other, one)));
  }
}
