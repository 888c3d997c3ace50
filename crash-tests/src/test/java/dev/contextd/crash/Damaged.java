package dev.contextd.crash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A copy of a prepared store with one fault in it.
 *
 * @param isChanged whether the fault changed anything at all; an empty file cannot be cut
 * @param excused the content of the victim, where a journal has a newer one in any case
 */
record Damaged(Path root, Fault fault, Victim victim, boolean isChanged, List<String> excused) {
  private static final List<String> NEW_NAMES = List.of("renamed", "0badf00d", "a copy");

  static Damaged copyOf(PreparedStore store, Path root, Random random) throws IOException {
    Folders.copy(store.root(), root);
    int kind = random.nextInt(20);
    if (kind == 0 && store.metadata().size() > 1) {
      return swap(store, root, random);
    }
    if (kind == 1) {
      return rename(store, root, random);
    }
    Victim victim = kind < 6 ? any(store.metadata(), random) : any(store.documents(), random);
    if (kind >= 14 && !store.others().isEmpty()) {
      victim = any(any(List.copyOf(store.others().values()), random), random);
    }
    Fault fault = any(List.of(Fault.values()).stream().filter(Fault::isOfOneFile).toList(), random);
    Path file = root.resolve(victim.path());
    String before = content(file);
    fault.strike(file, random);
    String after = content(file);
    boolean isReplaced = store.replaced().contains(before) || store.hasJournal();
    List<String> excused = isReplaced ? List.of(after) : List.of();
    return new Damaged(root, fault, victim, !before.equals(after), excused);
  }

  private static Damaged swap(PreparedStore store, Path root, Random random) throws IOException {
    List<Victim.Metadata> all = new ArrayList<>(store.metadata());
    Victim.Metadata one = all.remove(random.nextInt(all.size()));
    Victim.Metadata other = any(all, random);
    Path aside = root.resolve("aside");
    Files.move(root.resolve(one.path()), aside);
    // The extensions may differ, the names stay: only the contents change places.
    Files.move(root.resolve(other.path()), root.resolve(one.path()));
    Files.move(aside, root.resolve(other.path()));
    Victim victim =
        new Victim.TwoMetadata(one.path(), other.path(), one.collection(), other.collection());
    return new Damaged(root, Fault.METADATA_SWAPPED, victim, true, List.of());
  }

  private static Damaged rename(PreparedStore store, Path root, Random random) throws IOException {
    Victim.Metadata of = any(store.metadata(), random);
    Path folder = of.path().resolveSibling("");
    Files.move(root.resolve(folder), root.resolve(any(NEW_NAMES, random)));
    Victim victim = new Victim.Folder(folder, of.collection());
    return new Damaged(root, Fault.FOLDER_RENAMED, victim, true, List.of());
  }

  private static String content(Path file) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        ? Folders.sha256(Files.readAllBytes(file))
        : "no file";
  }

  private static <T> T any(List<T> all, Random random) {
    return all.get(random.nextInt(all.size()));
  }

  boolean isOfJournal() {
    return victim instanceof Victim.Other other && other.isBelow("journal");
  }

  String description() {
    return fault + " " + victim;
  }
}
