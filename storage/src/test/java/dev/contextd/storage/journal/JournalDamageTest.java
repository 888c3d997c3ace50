package dev.contextd.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Seed;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is replayed of a journal that was cut or damaged: nothing that was not written so. */
class JournalDamageTest {
  /** What a record without documents is called. */
  private static final String VOIDED = "?";

  @TempDir Path root;

  private Path journal() {
    return root.resolve("journal");
  }

  /** Five segments: single writes, groups, a failed write between them, and a torn group. */
  private void writeAll() throws IOException {
    FaultyDisk disk = new FaultyDisk();
    try (Journal journal = Journals.open(journal(), disk)) {
      Journals.write(journal, "a", "b");
      Journals.writeTogether(journal, "c", "d", "e");
      assertThat(journal.mark().sequence()).isEqualTo(5);
      Journals.write(journal, "f");
      disk.fault((operation, _) -> {
        if (operation == FaultyDisk.Operation.SYNC) {
          disk.heal();
          throw new IOException("injected");
        }
      });
      assertThatThrownBy(() -> Journals.writeTogether(journal, "failed g", "failed h"))
          .isInstanceOf(IOException.class);
      Journals.write(journal, "i");
      assertThat(journal.mark().sequence()).isEqualTo(9);
      Journals.writeTogether(journal, "j", "k", "l");
    }
  }

  /** A frame that can be read, as the test's own model of a journal sees it. */
  private record Known(long sequence, long synced, String name) {}

  /** What must be replayed, and whether a loss must be reported, where these can be read. */
  private record Expected(List<String> names, boolean isLoss) {
    static Expected of(List<Known> readable) {
      TreeMap<Long, String> bySequence = new TreeMap<>();
      long proven = 0;
      for (Known known : readable) {
        bySequence.put(known.sequence(), known.name());
        proven = Math.max(proven, known.synced());
      }
      List<String> names = new ArrayList<>();
      boolean isVoiding = readable.stream().anyMatch(known -> known.name().equals(VOIDED));
      boolean isLoss = false;
      long last = 0;
      for (var found : bySequence.entrySet()) {
        long before = found.getKey() == 9 || found.getKey() == 8 ? 6 : found.getKey() - 1;
        isLoss |= last < Math.min(before, proven);
        if (last < before && proven < before) {
          return new Expected(names, isLoss);
        }
        last = found.getKey();
        boolean isVoid = isVoiding && found.getValue().startsWith("failed");
        if (!isVoid && !found.getValue().equals(VOIDED)) {
          names.add(found.getValue());
        }
      }
      return new Expected(names, isLoss || last < proven);
    }
  }

  private Map<Path, List<Segment.Frame>> allFrames() throws IOException {
    Map<Path, List<Segment.Frame>> all = new HashMap<>();
    for (Path segment : Journals.segments(journal())) {
      all.put(segment, Journals.frames(segment));
    }
    return all;
  }

  private static List<Known> readable(
      Map<Path, List<Segment.Frame>> all, Path damaged, Predicate<Segment.Frame> isGone)
      throws Exception {
    List<Known> readable = new ArrayList<>();
    for (var entry : all.entrySet()) {
      for (Segment.Frame frame : entry.getValue()) {
        if (!entry.getKey().equals(damaged) || !isGone.test(frame)) {
          JournalRecord record =
              JournalRecord.decode(frame.type(), frame.incarnation(), frame.payload());
          readable.add(new Known(frame.sequence(), frame.synced(), Journals.name(record)));
        }
      }
    }
    return readable;
  }

  private void requireReplayed(Expected expected, String what) throws IOException {
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).as(what).isEqualTo(expected.names());
    assertThat(!replay.losses().isEmpty()).as("loss, " + what).isEqualTo(expected.isLoss());
    assertThat(replay.nextSequence()).as(what).isGreaterThan(0);
  }

  @Test
  void aWholeJournalIsReplayedWithoutTheWritesThatFailed() throws Exception {
    writeAll();
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay))
        .containsExactly("a", "b", "c", "d", "e", "f", "i", "j", "k", "l");
    assertThat(replay.losses()).isEmpty();
    assertThat(replay.toVoid()).isNull();
    assertThat(replay.tornBytes()).isZero();
    assertThat(replay.nextSequence()).isEqualTo(13);
  }

  @Test
  void everyCutOfEverySegmentLosesWhatWasCutAndNothingElse() throws Exception {
    writeAll();
    Map<Path, List<Segment.Frame>> all = allFrames();
    for (Path segment : all.keySet()) {
      byte[] whole = Files.readAllBytes(segment);
      for (int length = 0; length < whole.length; length++) {
        int cut = length;
        Files.write(segment, Arrays.copyOf(whole, cut));
        List<Known> left =
            readable(all, segment, frame -> cut < frame.end() || cut < Segment.HEAD_BYTES / 2);
        requireReplayed(Expected.of(left), segment.getFileName() + " cut to " + cut);
      }
      Files.write(segment, whole);
    }
  }

  @Test
  void everyChangedByteCostsItsRecordAndIsNeverReplayed() throws Exception {
    writeAll();
    Random random = Seed.random("JournalDamageTest.everyChangedByteCostsItsRecord");
    Map<Path, List<Segment.Frame>> all = allFrames();
    for (Path segment : all.keySet()) {
      byte[] whole = Files.readAllBytes(segment);
      for (int at = 0; at < whole.length; at++) {
        byte[] changed = whole.clone();
        changed[at] ^= (byte) random.nextInt(1, 256);
        Files.write(segment, changed);
        int offset = at;
        List<Known> left =
            readable(all, segment, frame -> frame.offset() <= offset && offset < frame.end());
        requireReplayed(Expected.of(left), segment.getFileName() + ", byte " + at);
      }
      Files.write(segment, whole);
    }
  }

  @Test
  void randomDamageOfManyBytesNeverAltersOrReordersARecord() throws Exception {
    writeAll();
    Random random = Seed.random("JournalDamageTest.randomDamageOfManyBytes");
    List<Path> segments = Journals.segments(journal());
    List<byte[]> whole = new ArrayList<>();
    for (Path segment : segments) {
      whole.add(Files.readAllBytes(segment));
    }
    for (int round = 0; round < 2_000; round++) {
      int n = random.nextInt(segments.size());
      byte[] mutant = whole.get(n).clone();
      for (int i = random.nextInt(1, 6); i > 0; i--) {
        int from = random.nextInt(mutant.length);
        int to = Math.min(mutant.length, from + random.nextInt(1, 200));
        switch (random.nextInt(3)) {
          case 0 -> Arrays.fill(mutant, from, to, (byte) 0);
          case 1 -> {
            byte[] source = whole.get(random.nextInt(whole.size()));
            int count = Math.min(to - from, source.length);
            System.arraycopy(
                source, random.nextInt(source.length - count + 1), mutant, from, count);
          }
          default -> mutant[from] ^= (byte) random.nextInt();
        }
      }
      Files.write(segments.get(n), mutant);
      Journals.names(Journals.read(journal()));
      Files.write(segments.get(n), whole.get(n));
    }
  }

  @Test
  void aGapThatNobodyKnowsToHaveBeenSyncedEndsTheReplay() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      Journals.writeTogether(journal, "b", "c", "d");
    }
    Path segment = Journals.only(journal());
    Segment.Frame c = Journals.frames(segment).get(2);
    Journals.invert(segment, c.offset(), c.end());
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a", "b");
    assertThat(replay.losses()).isEmpty();
    assertThat(replay.toVoid()).isNotNull();
    assertThat(replay.nextSequence()).isGreaterThan(4);
  }

  @Test
  void aGapThatALaterRecordProvesIsALossAndTheRestIsReplayed() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a", "b", "c", "d");
    }
    Path segment = Journals.only(journal());
    Segment.Frame b = Journals.frames(segment).get(1);
    Journals.invert(segment, b.offset(), b.end());
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a", "c", "d");
    assertThat(replay.losses())
        .singleElement()
        .satisfies(loss -> {
          assertThat(loss.sentence()).contains("2 to 2");
          assertThat(loss.file()).contains(String.valueOf(segment.getFileName()));
        });
    assertThat(replay.segments()).allMatch(JournalReplay.SegmentFile::isDamaged);
  }

  @Test
  void aWholeSegmentThatIsGoneIsALoss() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      journal.mark();
      Journals.write(journal, "b");
      journal.mark();
      Journals.write(journal, "c");
    }
    Files.delete(Journals.segments(journal()).get(1));
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a", "c");
    assertThat(replay.losses()).hasSize(1);
  }

  @Test
  void aTornTailAndAnotherCrashNeitherBringAnythingBackNorCountAsDamage() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      Journals.writeTogether(journal, "torn b", "unacknowledged c", "torn d");
    }
    Path first = Journals.only(journal());
    byte[] whole = Files.readAllBytes(first);
    List<Segment.Frame> frames = Journals.frames(first);
    Journals.invert(first, frames.get(1).offset(), frames.get(1).end());
    Journals.invert(first, frames.get(3).offset(), frames.get(3).end());
    for (int session = 0; session < 3; session++) {
      try (Journal journal = Journals.open(journal(), new LocalDisk())) {
        Journals.write(journal, "session " + session);
      }
      JournalReplay replay = Journals.read(journal());
      assertThat(Journals.names(replay)).hasSize(session + 2).doesNotContain("unacknowledged c");
      assertThat(replay.losses()).isEmpty();
      assertThat(replay.toVoid() == null || session > 0 || replay.tornBytes() > 0).isTrue();
    }
    Files.write(first, whole); // What could not be read can be read again.
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a", "session 0", "session 1", "session 2");
    assertThat(replay.losses()).isEmpty();
  }

  @Test
  void aTornGroupOfWhichNothingCouldBeReadStaysGoneWhenItCanBeReadAgain() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      Journals.writeTogether(journal, "b", "c", "d", "e");
    }
    Path first = Journals.only(journal());
    byte[] whole = Files.readAllBytes(first);
    Journals.invert(first, Journals.frames(first).get(1).offset(), whole.length);
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "f", "g", "h", "i", "j");
    }
    Files.write(first, whole);
    assertThat(Journals.names(Journals.read(journal())))
        .containsExactly("a", "f", "g", "h", "i", "j");
  }

  @Test
  void segmentsThatALossOfPowerBroughtBackAreSkipped() throws Exception {
    Map<Path, byte[]> removed = new HashMap<>();
    long covered;
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a", "b");
      Journal.Mark mark = journal.mark();
      covered = mark.sequence();
      for (Path segment : Journals.segments(journal())) {
        removed.put(segment, Files.readAllBytes(segment));
      }
      journal.cut(mark);
      assertThat(Journals.segments(journal())).isEmpty();
      assertThat(journal.pendingBytes()).isZero();
      Journals.write(journal, "c");
    }
    for (var segment : removed.entrySet()) {
      Files.write(segment.getKey(), segment.getValue());
    }
    JournalReplay replay = JournalReplay.read(new LocalDisk(), journal(), covered, covered);
    assertThat(Journals.names(replay)).containsExactly("c");
    assertThat(replay.losses()).isEmpty();
    assertThat(replay.nextSequence()).isEqualTo(4);
  }

  @Test
  void aSegmentOfALaterVersionIsLeftAloneAndSaid() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
    }
    Path segment = Journals.only(journal());
    byte[] whole = Files.readAllBytes(segment);
    ByteBuffer head = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
    for (int copy = 0; copy < Segment.HEAD_BYTES; copy += 32) {
      head.putInt(copy + 8, 2);
      head.putInt(copy + 28, Crc32c.of(ByteBuffer.wrap(whole, copy, 28).slice()));
    }
    Files.write(segment, whole);
    JournalReplay replay = Journals.read(journal());
    assertThat(replay.foreign().orElseThrow()).contains("version 2").contains("reads 1");
    assertThat(replay.entries()).isEmpty();
    assertThat(replay.toVoid()).isNull();
    assertThat(segment).hasBinaryContent(whole);
  }

  @Test
  void aDocumentThatHoldsTheBytesOfARecordIsNotTakenForOne() throws Exception {
    ByteBuffer forged = ByteBuffer.allocate(4_096).order(ByteOrder.LITTLE_ENDIAN);
    JournalRecord.Encoded evil = JournalRecord.encode(Journals.record("forged"));
    for (int salt = 0; salt < 4; salt++) {
      forged
          .put(Segment.recordHead(evil, salt, Crc32c.of(evil.payload()), 2, 1))
          .put(evil.payload().duplicate());
    }
    String content = new String(forged.array(), 0, forged.position(), StandardCharsets.ISO_8859_1);
    JournalRecord.Put carrier =
        new JournalRecord.Put(
            7,
            Optional.empty(),
            List.of(new StoredDocument("carrier", Map.of(), new float[] {1}, content)));
    List<String> log = new ArrayList<>();
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      Journal.Ticket ticket = Journal.prepare(carrier, new Journals.Watched(log, "carrier"));
      journal.enqueue(ticket);
      journal.await(ticket);
      Journals.write(journal, "b");
    }
    Path segment = Journals.only(journal());
    Segment.Frame frame = Journals.frames(segment).get(1);
    Journals.invert(segment, frame.offset(), frame.offset() + 4);
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a", "b");
    assertThat(replay.losses()).hasSize(1);
  }

  @Test
  void whatIsNoSegmentIsPassedOverAndAFolderInItsPlaceIsALoss() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
    }
    Files.writeString(journal().resolve("notes.txt"), "x");
    Files.writeString(journal().resolve("0000000000000001.log.0.tmp"), "x");
    Files.createDirectory(journal().resolve("00000000000000ff.log"));
    JournalReplay replay = Journals.read(journal());
    assertThat(Journals.names(replay)).containsExactly("a");
    assertThat(replay.losses())
        .singleElement()
        .satisfies(loss -> assertThat(loss.file()).isEqualTo("00000000000000ff.log"));
  }

  @Test
  void aJournalThatEndsBeforeWhatACheckpointHasSeenHasLostTheRest() throws Exception {
    try (Journal journal = Journals.open(journal(), new LocalDisk())) {
      Journals.write(journal, "a");
      Journals.write(journal, "b");
      assertThat(journal.synced()).isEqualTo(2);
    }
    Files.delete(Journals.only(journal()));
    JournalReplay replay = JournalReplay.read(new LocalDisk(), journal(), 0, 2);
    assertThat(replay.losses())
        .singleElement()
        .satisfies(loss -> assertThat(loss.sentence()).contains("1 to 2"));
    assertThat(replay.nextSequence()).isEqualTo(3);
  }

  @Test
  void anAbsentJournalIsEmpty() throws Exception {
    JournalReplay replay = JournalReplay.read(new LocalDisk(), journal(), 41, 41);
    assertThat(replay.entries()).isEmpty();
    assertThat(replay.nextSequence()).isEqualTo(42);
    assertThat(replay.toVoid()).isNull();
  }
}
