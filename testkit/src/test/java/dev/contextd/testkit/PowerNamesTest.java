package dev.contextd.testkit;

import static dev.contextd.testkit.Outcomes.LEFT;
import static dev.contextd.testkit.Outcomes.RIGHT;
import static dev.contextd.testkit.Outcomes.TOP;
import static dev.contextd.testkit.Outcomes.contents;
import static dev.contextd.testkit.Outcomes.disk;
import static dev.contextd.testkit.Outcomes.names;
import static dev.contextd.testkit.Outcomes.write;
import static dev.contextd.testkit.Outcomes.writeDurably;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which names a loss of power can leave. */
class PowerNamesTest {
  private static final Path A = LEFT.resolve("a");
  private static final Path B = LEFT.resolve("b");
  private static final Path C = LEFT.resolve("c");
  private static final Path ACROSS = RIGHT.resolve("a");

  private final Outcomes outcomes = new Outcomes("PowerNamesTest");

  @Test
  void anUnsyncedNameMayBeLostThoughItsContentIsDurable() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "new");
    calls.syncFile(A);
    assertThat(outcomes.of(calls, contents(A))).containsExactly("-", "new");
  }

  @Test
  void aSyncedFolderKeepsItsNames() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "");
    write(calls, B, "");
    calls.remove(A);
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, names(LEFT))).containsExactly("[b]");
  }

  @Test
  void namesSurviveWhateverBecomesOfOthers() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "");
    write(calls, B, "");
    assertThat(outcomes.of(calls, names(LEFT))).containsExactly("[]", "[a, b]", "[a]", "[b]");
  }

  @Test
  void oneFoldersSyncIsNoneOfAnother() throws Exception {
    PowerCalls calls = disk();
    write(calls, ACROSS, "");
    calls.syncDirectory(LEFT);
    calls.syncDirectory(TOP);
    assertThat(outcomes.of(calls, names(RIGHT))).containsExactly("[]", "[a]");
  }

  @Test
  void onlyTheFirstOperationsCount() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "old");
    int prefix = calls.logLength();
    calls.remove(A);
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, prefix, contents(A))).containsExactly("old");
    assertThat(outcomes.of(calls, prefix + 1, contents(A))).containsExactly("-", "old");
    assertThat(outcomes.of(calls, prefix + 2, contents(A))).containsExactly("-");
  }

  @Test
  void aRemovedNameMayComeBack() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "old");
    calls.remove(A);
    assertThat(outcomes.of(calls, contents(A))).containsExactly("-", "old");
    writeDurably(calls, A, "new");
    assertThat(outcomes.of(calls, contents(A))).containsExactly("new");
  }

  @Test
  void aRenameWithinAFolderIsAtomic() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "new");
    writeDurably(calls, B, "old");
    calls.rename(A, B);
    assertThat(outcomes.of(calls, contents(A, B))).containsExactly("- new", "new old");
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(A, B))).containsExactly("- new");
  }

  @Test
  void aTempFileReplacesNeverLosingTheOldOne() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, B, "old");
    write(calls, A, "new");
    calls.syncFile(A);
    calls.rename(A, B);
    assertThat(outcomes.of(calls, contents(A, B))).containsExactly("- new", "- old", "new old");
  }

  @Test
  void aChangeStandsOnTheEarlierOnesOfItsName() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "old");
    calls.rename(A, B);
    write(calls, A, "new");
    calls.syncFile(A);
    assertThat(outcomes.of(calls, contents(A, B)))
        .as("the old one is never lost to the new one of its name")
        .containsExactly("- old", "new old", "old -");
    calls.rename(B, C);
    assertThat(outcomes.of(calls, contents(A, B, C)))
        .containsExactly("- - old", "- old -", "new - old", "new old -", "old - -");
  }

  @Test
  void aRenameAcrossFoldersMayLeaveBothNamesAndNeverNone() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "x");
    calls.rename(A, ACROSS);
    assertThat(outcomes.of(calls, contents(A, ACROSS))).containsExactly("- x", "x -", "x x");
    calls.syncDirectory(RIGHT);
    assertThat(outcomes.of(calls, contents(A, ACROSS))).containsExactly("- x", "x x");
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(A, ACROSS))).containsExactly("- x");
  }

  @Test
  void theEndOfANameIsNotDurableWithoutTheNewOne() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "x");
    calls.rename(A, ACROSS);
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(A, ACROSS))).containsExactly("- x");
  }

  @Test
  void aFileOnItsWayThroughFoldersAlwaysHasAName() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "x");
    calls.rename(A, ACROSS);
    calls.rename(ACROSS, B);
    calls.syncDirectory(RIGHT);
    assertThat(outcomes.of(calls, contents(A, ACROSS, B)))
        .isNotEmpty()
        .allMatch(found -> found.contains("x"));
  }

  @Test
  void aFileThatNeverHadADurableNameMayBeLostOnItsWay() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "x");
    calls.syncFile(A);
    calls.rename(A, ACROSS);
    assertThat(outcomes.of(calls, contents(A, ACROSS))).containsExactly("- -", "- x", "x -", "x x");
  }

  @Test
  void aCreatedFolderNeedsTheSyncOfTheOneAbove() throws Exception {
    PowerCalls calls = disk();
    Path inner = LEFT.resolve("inner");
    calls.createDirectory(inner);
    writeDurably(calls, inner.resolve("a"), "x");
    assertThat(outcomes.of(calls, contents(inner.resolve("a")))).containsExactly("-", "x");
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(inner.resolve("a")))).containsExactly("x");
  }

  @Test
  void aFileMovedIntoAFolderThatIsLostGoesWithItOnlyIfItsEndWasSynced() throws Exception {
    PowerCalls calls = disk();
    Path inner = RIGHT.resolve("inner");
    writeDurably(calls, A, "x");
    calls.createDirectory(inner);
    calls.rename(A, inner.resolve("a"));
    assertThat(outcomes.of(calls, contents(A, inner.resolve("a"))))
        .containsExactly("- x", "x -", "x x");
    calls.syncDirectory(inner);
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(A, inner.resolve("a")))).containsExactly("- -", "- x");
    calls.syncDirectory(RIGHT);
    assertThat(outcomes.of(calls, contents(A, inner.resolve("a")))).containsExactly("- x");
  }

  @Test
  void aMovedFolderNeverHasTwoNames() throws Exception {
    PowerCalls calls = disk();
    Path inner = LEFT.resolve("inner");
    Path moved = RIGHT.resolve("moved");
    calls.createDirectory(inner);
    calls.syncDirectory(LEFT);
    writeDurably(calls, inner.resolve("a"), "x");
    calls.rename(inner, moved);
    Outcomes.Look look = contents(inner.resolve("a"), moved.resolve("a"));
    assertThat(outcomes.of(calls, look)).containsExactly("- x", "x -");
    calls.syncDirectory(RIGHT);
    assertThat(outcomes.of(calls, look)).containsExactly("- x");
  }

  @Test
  void aRemovedFolderTakesNothingWithItThatWasMovedOut() throws Exception {
    PowerCalls calls = disk();
    Path inner = LEFT.resolve("inner");
    calls.createDirectory(inner);
    calls.syncDirectory(LEFT);
    writeDurably(calls, inner.resolve("a"), "x");
    calls.rename(inner.resolve("a"), ACROSS);
    calls.remove(inner);
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(ACROSS))).containsExactly("x");
  }

  @Test
  void aSyncedFileSystemKeepsEveryName() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "x");
    calls.rename(A, ACROSS);
    calls.createDirectory(LEFT.resolve("inner"));
    calls.syncFileSystem(TOP);
    assertThat(outcomes.of(calls, contents(A, ACROSS))).containsExactly("- x");
    assertThat(outcomes.of(calls, names(LEFT))).containsExactly("[inner]");
  }

  @Test
  void theFourPlainOutcomesCanBeAskedFor() throws Exception {
    PowerCalls calls = disk();
    writeDurably(calls, A, "old");
    write(calls, B, "new");
    calls.rename(B, A);
    write(calls, C, "c");
    assertThat(after(calls, Survivors.NOTHING)).isEqualTo("old - -");
    assertThat(after(calls, Survivors.EVERYTHING)).isEqualTo("new - c");
    assertThat(after(calls, Survivors.NAMES)).isEqualTo(" - ");
    assertThat(after(calls, Survivors.CONTENT)).isEqualTo("old - -");
  }

  private static String after(PowerCalls calls, Survivors survivors) throws IOException {
    PowerCalls found = calls.crash(calls.logLength(), survivors, new Random(0));
    return contents(A, B, C).at(found);
  }
}
