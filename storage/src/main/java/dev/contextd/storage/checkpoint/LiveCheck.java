package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.FolderReport;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.KnownFolder;
import dev.contextd.storage.check.KnownStore;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The check of a store that is open: its folders are listed and held against what we know, beside
 * readers and writers; only what differs is read and judged, between two checkpoints.
 *
 * <p>Invariants: a file that is as we left it costs one stat and is not read; differences that were
 * judged are not judged again while they stay the same; it writes nothing.
 */
final class LiveCheck {
  private final Disk disk;
  private final Path root;
  private final StoreCheck check;
  private final Checkpointer checkpointer;

  /** Held while a collection is created, whose folder is there before anybody knows it. */
  private final ReentrantLock creating;

  private Map<String, Judged> judged = new HashMap<>();

  /** What was said of a folder, and of which differences. */
  private record Judged(long print, FolderReport report) {}

  LiveCheck(
      Disk disk, Path root, StoreCheck check, Checkpointer checkpointer, ReentrantLock creating) {
    this.disk = disk;
    this.root = root;
    this.check = check;
    this.checkpointer = checkpointer;
    this.creating = creating;
  }

  /** What is known of the folders while no checkpoint is in the making. */
  private final class Known implements KnownStore {
    private final Map<String, KeptCollection> live = live();
    private final Set<String> leaving = checkpointer.leaving();

    @Override
    public Optional<KnownFolder> folder(String name) {
      return Optional.ofNullable(live.get(name)).map(LiveFolder::new);
    }

    @Override
    public boolean knows(String name) {
      return live.containsKey(name);
    }

    @Override
    public boolean isDeleted(String name) {
      return leaving.contains(name) && !live.containsKey(name);
    }

    @Override
    public List<Damage> damage() {
      return List.of();
    }
  }

  /**
   * Looks at the store.
   *
   * @param touched folders to look into; empty for all. What was said of others stands.
   * @throws IOException where the root cannot be listed
   */
  synchronized Examination run(Optional<Set<String>> touched) throws IOException {
    List<Disk.Entry> entries = disk.list(root);
    Map<String, KeptCollection> live = live();
    Map<String, Long> prints = new HashMap<>();
    Map<String, FolderReport> settled = new HashMap<>();
    for (Disk.Entry entry : entries) {
      String name = entry.name();
      if (entry.kind() != Disk.Kind.DIRECTORY || name.startsWith(".")) {
        continue;
      }
      Judged before = judged.get(name);
      boolean isTouched = touched.isEmpty() || touched.get().contains(name);
      if (before != null && !isTouched) {
        prints.put(name, before.print());
        settled.put(name, before.report());
      } else {
        look(entry, live.get(name), prints, settled);
      }
    }
    return judge(entries, live, prints, settled);
  }

  private void look(
      Disk.Entry entry,
      @Nullable KeptCollection kept,
      Map<String, Long> prints,
      Map<String, FolderReport> settled) {
    String name = entry.name();
    FolderLook look;
    try {
      look = kept == null ? FolderLook.unknown(disk.list(entry.path())) : look(entry.path(), kept);
    } catch (IOException e) {
      return; // Why is said by the judge.
    }
    prints.put(name, look.print());
    Judged before = judged.get(name);
    if (kept != null && look.print() == 0) {
      settled.put(
          name,
          new FolderReport(
              name, Optional.of(kept.stored().name()), look.files(), look.files(), List.of()));
    } else if (before != null && before.print() == look.print()) {
      settled.put(name, before.report());
    }
  }

  /**
   * Where nothing is underway what should be there is known before the folder is listed, and most
   * of its files are told by their numbers. Else it is listed first: what is written meanwhile is
   * underway, or known afterwards.
   */
  private FolderLook look(Path folder, KeptCollection kept) throws IOException {
    if (kept.underway().isNothing()) {
      FolderLook.Expected before = FolderLook.Expected.of(kept, checkpointer.catalog());
      Disk.Listing found = disk.list(folder, before.files());
      if (before.isStill(kept, checkpointer.catalog())) {
        return FolderLook.known(found, before);
      }
    }
    Disk.Listing found = new Disk.Listing(disk.list(folder), new BitSet());
    return FolderLook.known(found, FolderLook.Expected.of(kept, checkpointer.catalog()));
  }

  private Examination judge(
      List<Disk.Entry> entries,
      Map<String, KeptCollection> live,
      Map<String, Long> prints,
      Map<String, FolderReport> settled)
      throws IOException {
    boolean isSettled =
        entries.stream()
            .filter(entry -> entry.kind() == Disk.Kind.DIRECTORY)
            .map(Disk.Entry::name)
            .allMatch(name -> name.startsWith(".") || settled.containsKey(name));
    List<IntactCollection> foreign = new ArrayList<>();
    CheckReport report;
    Set<String> names = names(entries);
    if (isSettled && names.containsAll(live.keySet())) {
      report = check.check(entries, new Known(), settled, foreign::add);
    } else {
      creating.lock();
      try {
        synchronized (checkpointer) {
          Known known = new Known();
          List<Disk.Entry> now = disk.list(root);
          report = withVanished(check.check(now, known, settled, foreign::add), known);
        }
      } finally {
        creating.unlock();
      }
    }
    remember(report, prints);
    foreign.removeIf(LiveCheck::isOurs);
    prints.values().removeIf(print -> print == 0);
    for (Damage found : report.stray()) {
      if (found instanceof Damage.CollectionVanished) {
        prints.put(found.folder(), Examination.VANISHED);
      }
    }
    return new Examination(report, foreign, prints);
  }

  private static Set<String> names(List<Disk.Entry> entries) {
    return entries.stream().map(Disk.Entry::name).collect(Collectors.toSet());
  }

  /** Nothing in it differs from what is served. */
  private static boolean isOurs(IntactCollection collection) {
    return collection.known().isPresent()
        && collection.documents().isEmpty()
        && collection.differences().superseded().isEmpty()
        && collection.differences().present().isEmpty()
        && collection.metadataFile().isEmpty();
  }

  private CheckReport withVanished(CheckReport report, Known known) throws IOException {
    List<FolderReport> folders = new ArrayList<>();
    for (FolderReport folder : report.folders()) {
      KeptCollection kept = known.live.get(folder.folder());
      folders.add(kept != null && kept.underway().metadata() ? withoutMetadata(folder) : folder);
    }
    List<Damage> stray = new ArrayList<>(report.stray());
    for (var entry : known.live.entrySet()) {
      if (!disk.exists(root.resolve(entry.getKey()))) {
        KeptCollection gone = entry.getValue();
        stray.add(
            new Damage.CollectionVanished(
                entry.getKey(), gone.stored().name(), gone.copies().size()));
      }
    }
    return new CheckReport(folders, stray, report.files());
  }

  /** A metadata file that is about to be written again is not missing. */
  private static FolderReport withoutMetadata(FolderReport folder) {
    return new FolderReport(
        folder.folder(),
        folder.name(),
        folder.served(),
        folder.documentFiles(),
        folder.damage().stream()
            .filter(found -> !(found instanceof Damage.MetadataSpoiled))
            .toList());
  }

  /** What differs in these folders is judged anew the next time. */
  synchronized void forget(Set<String> folders) {
    judged.keySet().removeAll(folders);
  }

  private void remember(CheckReport report, Map<String, Long> prints) {
    Map<String, Judged> now = HashMap.newHashMap(report.folders().size());
    for (FolderReport folder : report.folders()) {
      Long print = prints.get(folder.folder());
      if (print != null) {
        now.put(folder.folder(), new Judged(print, folder));
      }
    }
    judged = now;
  }

  private Map<String, KeptCollection> live() {
    Map<String, KeptCollection> live = new LinkedHashMap<>();
    checkpointer.collections().forEach(kept -> live.put(kept.folder().name(), kept));
    return live;
  }
}
