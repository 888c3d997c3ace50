package dev.contextd.embeddings;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadablePartTest {

  @Test
  void blanksAreCollapsedAndDoNotCount() {
    assertThat(ReadablePart.of(" \t a \n\u00a0\u3000 b  ", 3))
        .isEqualTo(new ReadablePart("a b", true, false));
  }

  @Test
  void whatTheNormalizerDropsIsNoBlank() {
    assertThat(ReadablePart.of("a\u000bb\u001cc\u0085d", 9).text())
        .isEqualTo("a\u000bb\u001cc\u0085d");
  }

  @Test
  void theCutIsBetweenWords() {
    assertThat(ReadablePart.of("one two three", 9))
        .isEqualTo(new ReadablePart("one two", false, false));
    assertThat(ReadablePart.of("one two three", 7))
        .isEqualTo(new ReadablePart("one two", false, false));
    assertThat(ReadablePart.of("one two", 3)).isEqualTo(new ReadablePart("one", false, false));
  }

  @Test
  void chineseCharactersAreWords() {
    assertThat(ReadablePart.of("\u65e5\u672c\u8a9e", 2))
        .isEqualTo(new ReadablePart("\u65e5\u672c", false, false));
  }

  @Test
  void oneLongWordIsCutSomewhereButNotInAPair() {
    assertThat(ReadablePart.of("abcdef", 4)).isEqualTo(new ReadablePart("abcd", false, true));
    assertThat(ReadablePart.of("abc\uD83C\uDF89", 4))
        .isEqualTo(new ReadablePart("abc", false, true));
  }

  @Test
  void nothingIsLeftOutButBlanks() {
    assertThat(ReadablePart.of("ab  ", 2)).isEqualTo(new ReadablePart("ab", true, false));
    assertThat(ReadablePart.of("   ", 2)).isEqualTo(new ReadablePart("", true, false));
  }
}
