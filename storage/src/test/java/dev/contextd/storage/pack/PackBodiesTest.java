package dev.contextd.storage.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Seed;
import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.gob.FormatException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Bodies whose checksums are right, and whose content may be anything. */
class PackBodiesTest {
  private static final int MUTATIONS = 50_000;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private void u32(int value) {
    out.writeBytes(
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private void u64(long value) {
    u32((int) value);
    u32((int) (value >>> Integer.SIZE));
  }

  private void string(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    u32(utf8.length);
    out.writeBytes(utf8);
  }

  /** A body with this metadata, keys and values in turn. */
  private byte[] body(int flags, String id, String content, String @Nullable ... metadata) {
    out.reset();
    out.write(flags);
    string(id);
    string(content);
    u32(metadata == null ? 0 : metadata.length / 2 + 1);
    for (String text : metadata == null ? new String[0] : metadata) {
      string(text);
    }
    u64(7);
    u64(8);
    u64(9);
    u32(10);
    return out.toByteArray();
  }

  private static PackBodies noted(byte[] body) {
    PackBodies bodies = new PackBodies(1, 1);
    bodies.note(0, body, 0, body.length);
    return bodies;
  }

  /**
   * As the format says it, and nothing else; an id that is no UTF-8 could be that of another row.
   */
  private static PackReader.@Nullable Body strictly(byte[] body) {
    try {
      BinaryReader in = new BinaryReader(ByteBuffer.wrap(body));
      boolean isUnit = (in.u8() & PackFormat.UNIT_LENGTH) != 0;
      String id = in.string();
      String content = in.string();
      Map<String, String> metadata = in.map();
      FileState file = new FileState(in.u64(), in.u64(), in.u64(), in.u32());
      in.end();
      byte[] utf8 = id.getBytes(StandardCharsets.UTF_8);
      if (!Arrays.equals(
          utf8,
          0,
          utf8.length,
          body,
          5,
          5 + ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN).getInt(1))) {
        return null;
      }
      return new PackReader.Body(id, content, metadata, file, isUnit);
    } catch (FormatException e) {
      return null;
    }
  }

  @Test
  void aBodyIsDecodedWhenItIsAskedFor() {
    PackBodies bodies = noted(body(1, "id 多", "content", "k", "v", "名", ""));
    assertThat(bodies.isWhole(0)).isTrue();
    assertThat(bodies.id(0)).isEqualTo("id 多");
    assertThat(bodies.content(0)).isEqualTo("content");
    assertThat(bodies.metadata(0)).isEqualTo(Map.of("k", "v", "名", ""));
    assertThat(bodies.file(0)).isEqualTo(new FileState(7, 8, 9, 10));
    assertThat(bodies.fileKey(0)).isEqualTo(7);
    assertThat(bodies.idHash(0)).isEqualTo(PackBodies.idHash("id 多"));
    assertThat(bodies.nextScaled(0)).as("of unit length").isNegative();
    assertThat(noted(body(0, "", "", (String[]) null)).nextScaled(0)).isZero();
    assertThat(noted(body(0, "", "", (String[]) null)).metadata(0)).isNull();
    assertThat(noted(body(0, "", "")).metadata(0)).isEmpty();
  }

  @Test
  void aKeyThatStandsTwiceIsDamage() {
    assertThat(noted(body(1, "id", "", "k", "1", "l", "2", "k", "3")).isWhole(0)).isFalse();
    String[] many = new String[200];
    Arrays.setAll(many, i -> "text " + i / 2);
    assertThat(noted(body(1, "id", "", many)).isWhole(0)).isTrue();
    many[198] = many[2];
    assertThat(noted(body(1, "id", "", many)).isWhole(0)).isFalse();
  }

  @Test
  void nothingIsToldOfADamagedRow() {
    PackBodies bodies = noted(new byte[100]);
    assertThat(bodies.isWhole(0)).isFalse();
    assertThat(bodies.whole().isEmpty()).isTrue();
    assertThatThrownBy(() -> bodies.id(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> bodies.content(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> bodies.metadata(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> bodies.isSameId(0, bodies, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  /** A body is whole exactly if a strict reader says so, and says the same then. */
  @Test
  void whatIsBentIsJudgedAsAStrictReaderJudgesIt() {
    Random random = Seed.random("PackBodiesTest.whatIsBent");
    byte[] sorted = body(1, "id 1", "some content", "a", "1", "aa", "", "b", "2", "c", "3");
    byte[] unsorted = body(1, "id 1", "some content", "a", "1", "b", "2", "c", "3", "aa", "");
    int whole = 0;
    for (int n = 0; n < MUTATIONS; n++) {
      byte[] right = random.nextBoolean() ? sorted : unsorted;
      byte[] bent = Arrays.copyOf(right, right.length - (n % 10 == 0 ? random.nextInt(90) : 0));
      for (int changes = random.nextInt(4); changes > 0; changes--) {
        int at = random.nextInt(bent.length);
        bent[at] =
            switch (random.nextInt(4)) {
              case 0 -> (byte) random.nextInt(256);
              case 1 -> (byte) (bent[at] + 1);
              case 2 -> (byte) (bent[at] - 1);
              default -> (byte) (bent[at] ^ 1 << random.nextInt(8));
            };
      }
      PackBodies bodies = noted(bent);
      PackReader.Body expected = strictly(bent);
      assertThat(bodies.isWhole(0)).as(Arrays.toString(bent)).isEqualTo(expected != null);
      if (expected != null) {
        whole++;
        assertThat(bodies.body(0)).isEqualTo(expected);
      }
    }
    assertThat(whole).as("both kinds were tried").isBetween(MUTATIONS / 10, MUTATIONS * 9 / 10);
  }
}
