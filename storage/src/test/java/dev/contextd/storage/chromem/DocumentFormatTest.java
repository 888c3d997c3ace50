package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.FixtureData.Doc;
import dev.contextd.storage.Seed;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.gob.GobWriter;
import dev.contextd.storage.gob.WireType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Documents and metadata come back from their files as they went in. */
class DocumentFormatTest {
  private static final float[] NO_VECTOR = {};

  @ParameterizedTest
  @EnumSource(Compression.class)
  void aDocumentComesBackBitForBit(Compression compression) throws Exception {
    float[] extreme = {
      0f,
      -0f,
      Float.MIN_VALUE,
      -Float.MIN_VALUE,
      Float.MIN_NORMAL,
      Float.intBitsToFloat(0x007fffff),
      Float.MAX_VALUE,
      -Float.MAX_VALUE,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN,
      1f / 3
    };
    requireRoundTrip(
        new StoredDocument("多-1", Map.of("", "", "k\0", "🚨"), extreme, "\0a\uFFFD🚨"),
        compression);
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void nullAndEmptyMetadataStayApart(Compression compression) throws Exception {
    requireRoundTrip(new StoredDocument("a", null, new float[] {1}, ""), compression);
    requireRoundTrip(new StoredDocument("a", Map.of(), new float[] {1}, ""), compression);
    requireRoundTrip(new StoredDocument("a", null, NO_VECTOR, ""), compression);
    requireRoundTrip(new StoredDocument("a", null, NO_VECTOR, "text"), compression);
    requireRoundTrip(new StoredDocument("a", Map.of(), NO_VECTOR, "text"), compression);
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void aMebibyteOfContentComesBack(Compression compression) throws Exception {
    char[] content = new char[1 << 20];
    Arrays.fill(content, 'x');
    requireRoundTrip(
        new StoredDocument("big", null, new float[] {1}, new String(content)), compression);
    Arrays.fill(content, '世');
    requireRoundTrip(
        new StoredDocument("big", null, new float[] {1}, new String(content)), compression);
  }

  @Test
  void randomDocumentsComeBack() throws Exception {
    Random random = Seed.random("randomDocumentsComeBack");
    for (int i = 0; i < 2_000; i++) {
      StoredDocument document = randomDocument(random);
      requireRoundTrip(document, i % 2 == 0 ? Compression.PLAIN : Compression.GZIP);
    }
  }

  private static StoredDocument randomDocument(Random random) {
    float[] vector = new float[random.nextInt(20)];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = quiet(Float.intBitsToFloat(random.nextInt()));
    }
    @Nullable Map<String, String> metadata = null;
    if (random.nextBoolean()) {
      metadata = new HashMap<>();
      for (int i = random.nextInt(5); i > 0; i--) {
        metadata.put(randomText(random), randomText(random));
      }
    }
    return new StoredDocument("i" + randomText(random), metadata, vector, randomText(random));
  }

  /** A signalling NaN may become quiet in a widening conversion; all else must not change. */
  private static float quiet(float value) {
    return Float.isNaN(value) ? Float.NaN : value;
  }

  private static String randomText(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(200); i > 0; i--) {
      int codePoint = random.nextInt(Character.MAX_CODE_POINT + 1);
      boolean isSurrogate = Character.getType(codePoint) == Character.SURROGATE;
      text.appendCodePoint(isSurrogate || random.nextBoolean() ? random.nextInt(128) : codePoint);
    }
    return text.toString();
  }

  private static void requireRoundTrip(StoredDocument document, Compression compression)
      throws FormatException {
    byte[] file = DocumentFormat.encode(document, compression);
    assertThat(file[0] == 0x1f).isEqualTo(compression == Compression.GZIP);
    Decoded<StoredDocument> decoded = DocumentFormat.decode(file);
    assertThat(Doc.of(decoded.value())).isEqualTo(Doc.of(document));
    assertThat(decoded.hash()).isEqualTo(Names.hash(document.id()));
    assertThat(decoded.exactText()).isTrue();
    assertThat(decoded.trailingBytes()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void aCollectionComesBack(Compression compression) throws Exception {
    List<StoredCollection> collections =
        List.of(
            new StoredCollection("a", null),
            new StoredCollection("a", Map.of()),
            new StoredCollection("多 🚨", Map.of("owner", "platform", "", "")),
            new StoredCollection("x".repeat(100_000), Map.of("k", "v".repeat(1 << 20))));
    for (StoredCollection collection : collections) {
      assertThat(MetadataFormat.decode(MetadataFormat.encode(collection, compression)))
          .isEqualTo(new Decoded<>(collection, Names.hash(collection.name()), true, 0));
    }
  }

  @Test
  void bytesBehindTheValueAreCounted() throws Exception {
    byte[] document =
        DocumentFormat.encode(
            new StoredDocument("a", null, new float[] {1}, "x"), Compression.PLAIN);
    byte[] metadata = MetadataFormat.encode(new StoredCollection("a", Map.of()), Compression.PLAIN);
    for (int extra : new int[] {1, 2, 300}) {
      assertThat(DocumentFormat.decode(longer(document, extra)).trailingBytes()).isEqualTo(extra);
      assertThat(MetadataFormat.decode(longer(metadata, extra)).trailingBytes()).isEqualTo(extra);
      byte[] zipped = Compression.GZIP.compress(longer(document, extra));
      assertThat(DocumentFormat.decode(zipped).trailingBytes()).isEqualTo(extra);
    }
  }

  private static byte[] longer(byte[] file, int extra) {
    return Arrays.copyOf(file, file.length + extra);
  }

  @Test
  void textThatIsNotUtf8IsReadAndReported() throws Exception {
    byte[] file =
        DocumentFormat.encode(
            new StoredDocument("idXX", Map.of("k", "v"), new float[] {1}, "text"),
            Compression.PLAIN);
    byte[] bad = replaced(file, "idXX", (byte) 0xff);
    Decoded<StoredDocument> decoded = DocumentFormat.decode(bad);
    assertThat(decoded.exactText()).isFalse();
    assertThat(decoded.value().id()).isEqualTo("id\uFFFD\uFFFD");
    assertThat(decoded.hash())
        .as("the hash of the bytes as they stand, so that the file's name still proves them")
        .isEqualTo(Names.hash(new byte[] {'i', 'd', (byte) 0xff, (byte) 0xff}))
        .isNotEqualTo(Names.hash(decoded.value().id()));
  }

  @Test
  void aGenuineReplacementCharacterIsExactText() throws Exception {
    StoredDocument document = new StoredDocument("\uFFFD", null, new float[] {1}, "\uFFFD\uFFFD");
    byte[] file = DocumentFormat.encode(document, Compression.PLAIN);
    assertThat(DocumentFormat.decode(file).exactText()).isTrue();
  }

  /** Replaces the last two bytes of a text in a file. */
  private static byte[] replaced(byte[] file, String text, byte with) {
    byte[] copy = Arrays.copyOf(file, file.length);
    int at = new String(file, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
    Arrays.fill(copy, at + text.length() - 2, at + text.length(), with);
    return copy;
  }

  @Test
  void whatHasNoIdOrNameIsRefused() {
    requireRefused(new StoredDocument("", Map.of(), new float[] {1}, "x"), "no id");
    byte[] nameless = MetadataFormat.encode(new StoredCollection("", null), Compression.PLAIN);
    assertThatThrownBy(() -> MetadataFormat.decode(nameless))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no collection name");
  }

  @Test
  void aDocumentIsNoMetadataAndMetadataIsNoDocument() {
    byte[] document =
        DocumentFormat.encode(
            new StoredDocument("a", Map.of(), new float[] {1}, "x"), Compression.GZIP);
    assertThatThrownBy(() -> MetadataFormat.decode(document))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds a document");
    byte[] metadata = MetadataFormat.encode(new StoredCollection("a", null), Compression.PLAIN);
    assertThatThrownBy(() -> DocumentFormat.decode(metadata))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no id");
  }

  @Test
  void aValueBeyondFloat32IsRefusedAsGoRefusesIt() throws Exception {
    assertThatThrownBy(() -> DocumentFormat.decode(withFirstFloat(3.5e38)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("exceeds a float32");
    assertThat(DocumentFormat.decode(withFirstFloat(1e-60)).value().embedding())
        .containsExactly(0f);
  }

  private static byte[] withFirstFloat(double value) {
    GobWriter body = new GobWriter().uint(1).string("a").uint(1).uint(1).float64(value).uint(0);
    return new GobWriter()
        .describeStruct(
            65,
            "Document",
            List.of(new WireType.Field("ID", 6), new WireType.Field("Embedding", 66)))
        .describeSlice(66, "[]float32", 4)
        .message(65, body)
        .toByteArray();
  }

  private static void requireRefused(StoredDocument document, String reason) {
    byte[] file = DocumentFormat.encode(document, Compression.PLAIN);
    assertThatThrownBy(() -> DocumentFormat.decode(file))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(reason);
  }
}
