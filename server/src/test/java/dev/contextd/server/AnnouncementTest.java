package dev.contextd.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.resilience.OpenSummary;
import dev.contextd.server.settings.Settings;
import dev.contextd.storage.check.Damage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the daemon says of what it found at its start. */
class AnnouncementTest {

  private static List<String> lines(List<OpenSummary.Moved> mended) throws Exception {
    return lines(mended, List.of());
  }

  private static List<String> lines(List<OpenSummary.Moved> mended, List<String> empty)
      throws Exception {
    Settings.Flags flags =
        new Settings.Flags(
            Optional.empty(), Optional.empty(), false, Optional.of("/data"), Optional.empty());
    return Announcement.lines(
        Settings.load(flags, Map.of("HOME", "/nonexistent")),
        new OpenSummary(
            1,
            2,
            List.of(),
            mended,
            List.of(),
            0,
            List.of(),
            mended.size(),
            Optional.empty(),
            Optional.empty()),
        empty);
  }

  private static OpenSummary.Moved mended(int number) {
    return new OpenSummary.Moved(
        new Damage.MetadataSpoiled(
            "e9f85bf6", "00000000.gob", "notes", "cannot be read: reason " + number),
        "e9f85bf6.00000000");
  }

  /** The bad bytes lie in quarantine since just now, not since earlier. */
  @Test
  void whatWasMendedIsNamedWithItsPlaceAndItsReason() throws Exception {
    assertThat(lines(List.of(mended(1))))
        .containsExactly(
            "opened /data: 1 collection, 2 documents",
            "mended e9f85bf6/00000000.gob: The metadata file of the collection \"notes\" cannot be"
                + " read: reason 1; it is served by what we know of it.");
  }

  @Test
  void anEmptyFolderIsNoticedThoughItDegradesNothing() throws Exception {
    assertThat(lines(List.of(), List.of("deadbeef")))
        .containsExactly(
            "opened /data: 1 collection, 2 documents",
            "noticed deadbeef/: It holds neither metadata nor documents.");
  }

  @Test
  void atMostTwentyMendedThingsAreNamedAndTheRestIsCounted() throws Exception {
    List<String> lines = lines(IntStream.range(0, 25).mapToObj(AnnouncementTest::mended).toList());
    assertThat(lines).hasSize(22);
    assertThat(lines.getLast()).isEqualTo("... and 5 more mended; the log names all");
  }
}
