package dev.contextd.server;

import dev.contextd.resilience.OpenSummary;
import dev.contextd.server.settings.Settings;
import dev.contextd.storage.check.Damage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What the daemon says when it starts: what it opened, what it mended, what it set aside. */
final class Announcement {
  /** So many damaged things are named one by one. */
  private static final int MOST_NAMED = 20;

  private static final String HEALTH = "; GET /health tells all";

  private Announcement() {}

  /**
   * @param empty the folders with neither metadata nor documents
   */
  static List<String> lines(Settings settings, OpenSummary opened, List<String> empty) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "opened %s: %s, %s"
            .formatted(
                settings.vectorstorePath(),
                count(opened.collections(), "collection"),
                count(opened.documents(), "document")));
    opened.readOnly().ifPresent(why -> lines.add("read-only: " + why));
    opened.brake().ifPresent(why -> lines.add("quarantine brake: " + why));
    addMoved(lines, opened.mended(), Announcement::mended, "mended; the log names all");
    addMoved(lines, opened.quarantined(), Announcement::quarantined, "quarantined" + HEALTH);
    addInPlace(lines, opened);
    empty.stream()
        .limit(MOST_NAMED)
        .map(folder -> "noticed " + folder + "/: It holds neither metadata nor documents.")
        .forEach(lines::add);
    addRest(lines, empty.size(), "empty folders");
    long setAside = opened.mended().stream().filter(moved -> !moved.entry().isEmpty()).count();
    long before = opened.inQuarantine() - opened.quarantined().size() - setAside;
    if (before > 0) {
      lines.add(
          "in .quarantine/ since earlier: " + count(before, "thing") + "; beside each lies a note");
    }
    return lines;
  }

  private static void addMoved(
      List<String> lines,
      List<OpenSummary.Moved> all,
      Function<OpenSummary.Moved, String> line,
      String what) {
    all.stream().limit(MOST_NAMED).map(line).forEach(lines::add);
    addRest(lines, all.size(), what);
  }

  private static String mended(OpenSummary.Moved moved) {
    return "mended %s: %s".formatted(place(moved.damage()), moved.damage().sentence());
  }

  private static String quarantined(OpenSummary.Moved moved) {
    return "quarantined %s as .quarantine/%s: %s"
        .formatted(place(moved.damage()), moved.entry(), moved.damage().sentence());
  }

  private static void addInPlace(List<String> lines, OpenSummary opened) {
    List<OpenSummary.InPlace> left = opened.inPlace();
    left.stream()
        .limit(MOST_NAMED)
        .map(found ->
            "%s %s: %s%s"
                .formatted(
                    found.damage().loss() == Damage.Loss.NOTHING ? "noticed" : "not served",
                    place(found.damage()),
                    found.damage().sentence(),
                    found.why().map(why -> " Left in place: " + why + ".").orElse("")))
        .forEach(lines::add);
    addRest(lines, left.size(), "left in place" + HEALTH);
  }

  private static void addRest(List<String> lines, int size, String what) {
    if (size > MOST_NAMED) {
      lines.add("... and " + (size - MOST_NAMED) + " more " + what);
    }
  }

  private static String place(Damage damage) {
    return damage.file().isEmpty() ? damage.folder() + "/" : damage.folder() + "/" + damage.file();
  }

  private static String count(long number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }
}
