package dev.contextd.storage.pack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.ModelRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifest stands twice: one of the two is enough. */
class ManifestTest {
  private static final String BEGUN = "0000000000000001.log";

  @TempDir Path folder;

  static Manifest manifest(long generation) {
    return new Manifest(
        generation,
        Long.MAX_VALUE - 1,
        Long.MAX_VALUE,
        BEGUN,
        12,
        13,
        true,
        "(dev=1,ino=2)",
        List.of(
            new Manifest.Collection(
                1,
                "e9f85bf6",
                new StoredCollection("contextd_memories", Map.of("k", "v", "a", "名")),
                Compression.PLAIN,
                Optional.of(new ModelRecord("BAAI/bge", 384)),
                new FileState(1, 2, 3, 4),
                List.of(
                    new Manifest.Pack(1, 2, 3, 4, 5),
                    new Manifest.Pack(-1, 0, 0, Long.MAX_VALUE, 0))),
            new Manifest.Collection(
                2,
                "x",
                new StoredCollection("", null),
                Compression.GZIP,
                Optional.empty(),
                new FileState(0, -1, -1, 0),
                List.of()),
            new Manifest.Collection(
                3,
                "",
                new StoredCollection("", Map.of()),
                Compression.PLAIN,
                Optional.empty(),
                new FileState(0, -1, -1, 0),
                List.of())));
  }

  private Manifest.Found read() throws IOException {
    return Manifest.read(new LocalDisk(), folder);
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  @Test
  void aManifestComesBack() throws Exception {
    manifest(7).write(new LocalDisk(), folder);
    assertThat(read()).isEqualTo(new Manifest.Found.Intact(manifest(7), false));
    Manifest.EMPTY.write(new LocalDisk(), folder);
    assertThat(read()).isEqualTo(new Manifest.Found.Intact(Manifest.EMPTY, false));
  }

  @Test
  void aSmallestCollectionComesBackAlone() throws Exception {
    Manifest all = manifest(1);
    Manifest one = new Manifest(1, 0, 0, "", 1, 1, false, "", List.of(all.collections().getLast()));
    one.write(new LocalDisk(), folder);
    assertThat(read()).isEqualTo(new Manifest.Found.Intact(one, false));
  }

  @Test
  void noneIsAbsent() throws Exception {
    assertThat(read()).isEqualTo(new Manifest.Found.Absent());
  }

  @ParameterizedTest
  @ValueSource(strings = {Manifest.FILE, Manifest.COPY})
  void oneThatIsMissingOrDamagedOrStaleDoesNotMatter(String victim) throws Exception {
    manifest(6).write(new LocalDisk(), folder);
    byte[] stale = Files.readAllBytes(file(victim));
    manifest(7).write(new LocalDisk(), folder);
    byte[] whole = Files.readAllBytes(file(victim));
    Manifest.Found good = new Manifest.Found.Intact(manifest(7), true);
    for (int bit = 0; bit < whole.length * Byte.SIZE; bit++) {
      Files.write(file(victim), FixtureData.flipped(whole, bit));
      assertThat(read()).as("bit %d", bit).isEqualTo(good);
    }
    for (int length = 0; length < whole.length; length++) {
      Files.write(file(victim), Arrays.copyOf(whole, length));
      assertThat(read()).as("%d bytes", length).isEqualTo(good);
    }
    Files.write(file(victim), stale);
    assertThat(read()).isEqualTo(good);
    Files.delete(file(victim));
    assertThat(read()).isEqualTo(good);
    Files.createDirectory(file(victim));
    assertThat(read()).isEqualTo(good);
  }

  @Test
  void bothDamagedAreLost() throws Exception {
    manifest(7).write(new LocalDisk(), folder);
    for (String name : List.of(Manifest.FILE, Manifest.COPY)) {
      byte[] whole = Files.readAllBytes(file(name));
      Files.write(file(name), FixtureData.flipped(whole, 100));
    }
    assertThat(read()).isInstanceOf(Manifest.Found.Lost.class);
    Files.delete(file(Manifest.COPY));
    assertThat(read()).isInstanceOf(Manifest.Found.Lost.class);
  }

  private static final int SEEN_AT = 28;
  private static final int BEGUN_AT = 36;
  private static final int BEGUN_BYTES = 4 + BEGUN.length();

  /** Both files as an elder version wrote them, which lacks some of the bytes. */
  private Manifest elder(int version, int lacksFrom, int lacksBytes) throws Exception {
    manifest(7).write(new LocalDisk(), folder);
    for (String name : List.of(Manifest.FILE, Manifest.COPY)) {
      byte[] whole = Files.readAllBytes(file(name));
      int rest = lacksFrom + lacksBytes;
      ByteBuffer bytes =
          ByteBuffer.allocate(whole.length - lacksBytes).order(ByteOrder.LITTLE_ENDIAN);
      bytes.put(whole, 0, lacksFrom).put(whole, rest, whole.length - rest);
      bytes.putInt(8, version);
      int end = bytes.capacity() - 4;
      bytes.putInt(end, Crc32c.of(bytes.duplicate().position(0).limit(end)));
      Files.write(file(name), bytes.array());
    }
    assertThat(read()).isInstanceOf(Manifest.Found.Intact.class);
    Manifest found = ((Manifest.Found.Intact) read()).manifest();
    assertThat(found.collections()).isEqualTo(manifest(7).collections());
    assertThat(found.begun()).isEmpty();
    return found;
  }

  @Test
  void oneOfTheFirstVersionHasSeenWhatItCovers() throws Exception {
    Manifest found = elder(1, SEEN_AT, Long.BYTES + BEGUN_BYTES);
    assertThat(found.seen()).isEqualTo(manifest(7).covered());
  }

  @Test
  void oneOfTheSecondVersionNamesNoSegment() throws Exception {
    Manifest found = elder(2, BEGUN_AT, BEGUN_BYTES);
    assertThat(found.seen()).isEqualTo(manifest(7).seen());
  }

  @ParameterizedTest
  @ValueSource(strings = {Manifest.FILE, Manifest.COPY})
  void oneOfALaterVersionForbidsEverything(String later) throws Exception {
    manifest(7).write(new LocalDisk(), folder);
    byte[] whole = Files.readAllBytes(file(later));
    ByteBuffer bytes = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(8, 4);
    bytes.putInt(whole.length - 4, Crc32c.of(bytes.duplicate().limit(whole.length - 4)));
    Files.write(file(later), whole);
    assertThat(read()).isEqualTo(new Manifest.Found.OtherVersion(4));
  }
}
