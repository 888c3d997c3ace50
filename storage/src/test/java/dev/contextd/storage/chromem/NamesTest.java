package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The names of folders and files, and which of them a hash may bear. */
class NamesTest {
  /** Two ids whose first 32 bits of SHA-256 agree. */
  static final String ID_A = "doc-17633";

  static final String ID_B = "doc-29150";
  static final String IDS_HASH = "23590e50";

  /** Two collection names of which the same is true. */
  static final String NAME_A = "collection-15820";

  static final String NAME_B = "collection-132664";
  static final String NAMES_HASH = "dacebbbc";

  /** An id with the hash that chromem-go keeps for the metadata file. */
  static final String ID_ZERO = "doc-7113356497";

  @Test
  void hashesAsChromemGoDoes() {
    assertThat(Names.hash("contextd_memories")).isEqualTo("e9f85bf6");
    assertThat(Names.hash("")).isEqualTo("e3b0c442");
    assertThat(Names.hash("多 🚨"))
        .isEqualTo(Names.hash("多 🚨".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }

  @Test
  void theKnownCollisionsCollide() {
    assertThat(Names.hash(ID_A)).isEqualTo(Names.hash(ID_B)).isEqualTo(IDS_HASH);
    assertThat(Names.hash(NAME_A)).isEqualTo(Names.hash(NAME_B)).isEqualTo(NAMES_HASH);
    assertThat(Names.hash(ID_ZERO)).isEqualTo(Names.METADATA_HASH);
  }

  @ParameterizedTest
  @ValueSource(strings = {"23590e50", "23590e50-1", "23590e50-42", "23590e50-9999"})
  void aHashMayBearANumber(String stem) {
    assertThat(Names.belongs(stem, IDS_HASH)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "23590e5",
        "23590e51",
        "23590E50",
        "23590e500",
        "23590e50-",
        "23590e50-0",
        "23590e50-01",
        "23590e50-10000",
        "23590e50-1-1",
        "23590e50.2",
        "23590e50-x",
        " 23590e50",
        "23590e50 (copy)",
        "copy-23590e50",
        "23590e50-١"
      })
  void nothingElseBelongs(String stem) {
    assertThat(Names.belongs(stem, IDS_HASH)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"0,23590e50", "1,23590e50-1", "9999,23590e50-9999"})
  void everyNamesakeBelongs(int n, String name) {
    assertThat(Names.namesake(IDS_HASH, n)).isEqualTo(name);
    assertThat(Names.belongs(name, IDS_HASH)).isTrue();
  }

  @Test
  void aNamesakeSortsBeforeTheHash() {
    String namesake = Names.namesake(IDS_HASH, 1) + Compression.PLAIN.extension();
    assertThat(namesake).isLessThan(IDS_HASH + Compression.PLAIN.extension());
  }
}
