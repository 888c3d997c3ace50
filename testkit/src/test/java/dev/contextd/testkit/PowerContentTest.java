package dev.contextd.testkit;

import static dev.contextd.testkit.Outcomes.LEFT;
import static dev.contextd.testkit.Outcomes.TOP;
import static dev.contextd.testkit.Outcomes.contents;
import static dev.contextd.testkit.Outcomes.disk;
import static dev.contextd.testkit.Outcomes.names;
import static dev.contextd.testkit.Outcomes.read;
import static dev.contextd.testkit.Outcomes.write;
import static dev.contextd.testkit.Outcomes.writeDurably;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.disk.FileCalls.OpenFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which bytes of a file a loss of power can leave. */
class PowerContentTest {
  private static final Path A = LEFT.resolve("a");
  private static final int PAGE = PowerLoss.PAGE_BYTES;

  private final Outcomes outcomes = new Outcomes("PowerContentTest");

  private static byte[] filled(int size, int value) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @Test
  void aFoldersSyncKeepsTheNameAndNotTheContent() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "xyz");
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, names(LEFT))).containsExactly("[a]");
    assertThat(outcomes.of(calls, contents(A)))
        .contains("", "x", "xy", "xyz", "\0", "\0\0\0", "x\0\0", "xy\0")
        .as("garbage")
        .anyMatch(found -> found.length() == 3 && !found.matches("[xyz\0]*"))
        .allMatch(found -> found.length() <= 3);
  }

  @Test
  void aFilesSyncKeepsItsContent() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "xyz");
    calls.syncDirectory(LEFT);
    calls.syncFile(A);
    assertThat(outcomes.of(calls, contents(A))).containsExactly("xyz");
  }

  @Test
  void anOpenFileCanBeForced() throws Exception {
    PowerCalls calls = disk();
    try (OpenFile open = calls.create(A)) {
      open.append(ByteBuffer.wrap(new byte[] {'x'}));
      open.force();
      calls.syncDirectory(LEFT);
      assertThat(outcomes.of(calls, contents(A))).containsExactly("x");
      open.append(ByteBuffer.wrap(new byte[] {'y'}));
      assertThat(outcomes.of(calls, contents(A)))
          .contains("x", "x\0", "xy")
          .allMatch(found -> found.startsWith("x") && found.length() <= 2);
      open.force();
      assertThat(outcomes.of(calls, contents(A))).containsExactly("xy");
    }
  }

  @Test
  void aSyncedFileSystemKeepsEveryContent() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "xyz");
    calls.syncFileSystem(TOP);
    assertThat(outcomes.of(calls, contents(A))).containsExactly("xyz");
  }

  @Test
  void aRenameMayBeDurableBeforeTheContent() throws Exception {
    PowerCalls calls = disk();
    Path temp = LEFT.resolve("temp");
    writeDurably(calls, A, "old");
    write(calls, temp, "new");
    calls.rename(temp, A);
    assertThat(outcomes.of(calls, contents(A))).contains("old", "new", "", "\0\0\0");
    calls.syncDirectory(LEFT);
    assertThat(outcomes.of(calls, contents(A))).contains("new", "", "\0\0\0").doesNotContain("old");
  }

  @Test
  void pagesSurviveWhateverBecomesOfOthers() throws Exception {
    PowerCalls calls = disk();
    byte[] synced = filled(PAGE + 10, 1);
    try (OpenFile open = calls.create(A)) {
      open.append(ByteBuffer.wrap(synced));
      open.force();
      calls.syncDirectory(LEFT);
      open.append(ByteBuffer.wrap(filled(2 * PAGE, 2)));
    }
    Set<String> found =
        outcomes.of(
            calls,
            after -> {
              byte[] bytes = read(after, A);
              assertThat(bytes).startsWith(synced);
              return bytes.length < 3 * PAGE + 10
                  ? "shorter"
                  : fate(bytes, PAGE + 10, 2 * PAGE)
                      + fate(bytes, 2 * PAGE, 3 * PAGE)
                      + fate(bytes, 3 * PAGE, 3 * PAGE + 10);
            });
    assertThat(found)
        .contains("shorter", "nnn", "znn", "nzn", "nnz", "gnn", "ngn", "nng", "tnn", "ntn");
  }

  /** New, zeros, torn, or garbage. */
  private static String fate(byte[] bytes, int begin, int end) {
    int news = 0;
    int zeros = 0;
    for (int i = begin; i < end; i++) {
      news += bytes[i] == 2 ? 1 : 0;
      zeros += bytes[i] == 0 ? 1 : 0;
    }
    if (news == end - begin) {
      return "n";
    }
    if (zeros == end - begin) {
      return "z";
    }
    return news + zeros == end - begin ? "t" : "g";
  }

  @Test
  void whatOverwritesRoomSurvivesOrNotAndSparesWhatWasThere() throws Exception {
    PowerCalls calls = disk();
    try (OpenFile open = calls.create(A)) {
      open.append(ByteBuffer.wrap(new byte[] {'x'}));
      open.reserve(3);
      assertThat(open.reserved()).isEqualTo(3);
      open.force();
      calls.syncDirectory(LEFT);
      assertThat(outcomes.of(calls, contents(A))).containsExactly("x\0\0\0");
      open.append(ByteBuffer.wrap(new byte[] {'y', 'z'}));
      assertThat(open.reserved()).isEqualTo(1);
      assertThat(outcomes.of(calls, contents(A)))
          .contains("x\0\0\0", "xy\0\0", "xyz\0")
          .as("garbage")
          .anyMatch(found -> !found.matches("x[yz\0]*"))
          .allMatch(found -> found.length() == 4 && found.startsWith("x") && found.endsWith("\0"));
      open.force();
      assertThat(outcomes.of(calls, contents(A))).containsExactly("xyz\0");
    }
    assertThat(outcomes.of(calls, contents(A))).containsExactlyInAnyOrder("xyz", "xyz\0");
    calls.syncFile(A);
    assertThat(outcomes.of(calls, contents(A))).containsExactly("xyz");
  }

  @Test
  void whatIsLongerThanItsRoomIsOverwrittenAndAppended() throws Exception {
    PowerCalls calls = disk();
    try (OpenFile open = calls.create(A)) {
      open.reserve(2);
      open.append(ByteBuffer.wrap(new byte[] {'x', 'y', 'z'}));
      assertThat(open.reserved()).isZero();
    }
    assertThat(read(calls, A)).containsExactly('x', 'y', 'z');
    assertThat(outcomes.of(calls, names(LEFT))).contains("[]", "[a]");
  }

  @Test
  void theTimeOfChangeMayBeNewWhereTheContentIsNot() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "xy");
    calls.syncDirectory(LEFT);
    long last = modified(calls);
    assertThat(outcomes.of(calls, after -> contents(A).at(after) + " " + (last == modified(after))))
        .contains("xy true", "\0\0 true", "x\0 true", " false");
    calls.syncFile(A);
    assertThat(outcomes.of(calls, after -> "" + modified(after))).containsExactly("" + last);
  }

  @Test
  void aFileKeepsItsIdentity() throws Exception {
    PowerCalls calls = disk();
    Path temp = LEFT.resolve("temp");
    writeDurably(calls, A, "old");
    Object elder = identity(calls);
    write(calls, temp, "new");
    calls.rename(temp, A);
    assertThat(elder).isNotEqualTo(identity(calls));
    assertThat(outcomes.of(calls, after -> identity(after).toString()))
        .containsExactlyInAnyOrder(elder.toString(), identity(calls).toString());
  }

  private static long modified(PowerCalls calls) throws IOException {
    return Objects.requireNonNull(calls.stat(A)).modifiedNanos();
  }

  private static Object identity(PowerCalls calls) throws IOException {
    return Objects.requireNonNull(calls.stat(A)).identity();
  }

  @Test
  void whatSurvivedIsDurable() throws Exception {
    PowerCalls calls = disk();
    write(calls, A, "xyz");
    calls.createDirectory(LEFT.resolve("inner"));
    Outcomes.Look look = after -> contents(A).at(after) + " " + after.names(LEFT);
    String once = look.at(calls);
    for (int i = 0; i < 20; i++) {
      PowerCalls found = calls.crash(calls.logLength(), new Random(i));
      assertThat(found.logLength()).isZero();
      assertThat(outcomes.of(found, look)).containsExactly(look.at(found));
    }
    assertThat(look.at(calls)).as("the disk itself goes on").isEqualTo(once);
  }
}
