package dev.contextd.testkit;

import dev.contextd.testkit.Operation.Name;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a disk holds after its power was lost: all that was synced, and a choice of the rest.
 *
 * <p>Names: each change of a folder survives or not, whatever becomes of the others, with these
 * bounds. The history of one name is cut at one point, so that a change never survives without the
 * earlier ones of the same name. A rename within a folder is one change. A file's rename from one
 * folder to another is two, the new name and the end of the old one; the end survives only with the
 * new name (and, unless it was synced, only where the new name can be reached), so that a file that
 * had a durable name never loses its last. A folder's rename is always one change: no file system
 * gives a folder two names. An empty folder's removal needs all that emptied it.
 *
 * <p>Content: what is synced is a beginning. Behind it the size is the synced one, the last one, or
 * between; each page of {@value #PAGE_BYTES} bytes behind it is new, zeros, garbage, or new up to
 * some byte and zeros from there. What was overwritten in a page before it is new, as it was,
 * garbage, or new up to some byte; the rest of the page stays. Zeros that were taken away from the
 * end are gone or still there. The time of change is the last one's where any of the size or of
 * what was overwritten may survive, even if none of the content does.
 */
final class PowerLoss {
  static final int PAGE_BYTES = 4096;

  private static final double[] ODDS = {0.1, 0.5, 0.9};

  /** How much of a file is durable, and since when. */
  private record Synced(int size, long modified) {}

  /** A change of names that survives as one or not at all. */
  private static final class Change {
    final long time;
    final Map<Name, Optional<Integer>> names = new LinkedHashMap<>();

    /** Without these it cannot survive; each is older. */
    final List<Change> standsOn = new ArrayList<>();

    /** A folder that must be reachable, lest the change take a file's last name. */
    Optional<Integer> needs = Optional.empty();

    boolean isDurable;
    boolean survives;

    Change(long time) {
      this.time = time;
    }
  }

  private final Inodes disk;
  private final Map<Integer, Synced> synced = new HashMap<>();

  /** Pages before the synced size as they were synced, by inode and where they begin. */
  private final Map<Integer, SortedMap<Integer, byte[]>> overwritten = new HashMap<>();

  private final List<Change> changes = new ArrayList<>();
  private final Map<Name, Change> lastOfName = new HashMap<>();
  private final Map<Integer, List<Change>> unsyncedIn = new HashMap<>();

  /**
   * @param durable what the disk held before, all of it durable; taken over
   */
  PowerLoss(Inodes durable) {
    this.disk = durable;
    durable
        .all()
        .forEach((number, node) -> {
          if (node instanceof Inodes.File file) {
            synced.put(number, new Synced(file.size(), file.modified()));
          }
        });
  }

  /** Names stay as they are until {@link #choose}; contents are always the last ones. */
  void apply(Operation operation, long time) {
    switch (operation) {
      case Operation.Create create -> {
        disk.create(create.inode(), create.isDirectory(), time);
        if (!create.isDirectory()) {
          synced.put(create.inode(), new Synced(0, time));
        }
        setName(change(time), create.name(), Optional.of(create.inode()));
      }
      case Operation.Append append -> disk.append(append, time);
      case Operation.Overwrite overwrite -> {
        keepPages(overwrite);
        disk.overwrite(overwrite, time);
      }
      case Operation.Truncate truncate -> disk.truncate(truncate);
      case Operation.Rename rename -> rename(rename, time);
      case Operation.Remove remove -> {
        Change change = change(time);
        change.standsOn.addAll(unsyncedIn.getOrDefault(remove.inode(), List.of()));
        setName(change, remove.name(), Optional.empty());
      }
      case Operation.SyncFile sync -> syncFile(sync.inode());
      case Operation.SyncDirectory sync ->
          Optional.ofNullable(unsyncedIn.remove(sync.inode()))
              .ifPresent(found -> found.forEach(PowerLoss::makeDurable));
      case Operation.SyncFileSystem _ -> {
        changes.forEach(PowerLoss::makeDurable);
        unsyncedIn.clear();
        List.copyOf(synced.keySet()).forEach(this::syncFile);
      }
    }
  }

  private void rename(Operation.Rename rename, long time) {
    boolean isAcross = rename.from().directory() != rename.to().directory();
    Change change = change(time);
    Change end = change;
    setName(change, rename.to(), Optional.of(rename.inode()));
    if (isAcross && disk.node(rename.inode()) instanceof Inodes.File) {
      end = change(time);
      end.standsOn.add(change);
    }
    if (isAcross) {
      end.needs = Optional.of(rename.to().directory());
    }
    setName(end, rename.from(), Optional.empty());
  }

  private Change change(long time) {
    Change change = new Change(time);
    changes.add(change);
    return change;
  }

  private void setName(Change change, Name name, Optional<Integer> number) {
    change.names.put(name, number);
    Change elder = lastOfName.put(name, change);
    if (elder != null) {
      change.standsOn.add(elder);
    }
    unsyncedIn.computeIfAbsent(name.directory(), _ -> new ArrayList<>()).add(change);
  }

  private void keepPages(Operation.Overwrite overwrite) {
    int size = Objects.requireNonNull(synced.get(overwrite.inode())).size();
    int end = Math.min(overwrite.position() + overwrite.bytes().length, size);
    Inodes.File file = disk.file(overwrite.inode());
    SortedMap<Integer, byte[]> pages =
        overwritten.computeIfAbsent(overwrite.inode(), _ -> new TreeMap<>());
    int first = overwrite.position() / PAGE_BYTES * PAGE_BYTES;
    for (int begin = first; begin < end; begin = nextPage(begin)) {
      int from = begin;
      pages.computeIfAbsent(begin, _ -> file.content(from, Math.min(size, nextPage(from))));
    }
  }

  private void syncFile(int number) {
    overwritten.remove(number);
    Inodes.File file = disk.file(number);
    synced.put(number, new Synced(file.size(), file.modified()));
  }

  private static void makeDurable(Change change) {
    if (!change.isDurable) {
      change.isDurable = true;
      change.standsOn.forEach(PowerLoss::makeDurable);
    }
  }

  /** Loses power; to be called once. */
  Inodes choose(Survivors survivors, Random random) {
    double names =
        switch (survivors) {
          case NOTHING, CONTENT -> 0;
          case EVERYTHING, NAMES -> 1;
          case ANY -> ODDS[random.nextInt(ODDS.length)];
        };
    double bytes =
        switch (survivors) {
          case NOTHING, NAMES -> 0;
          case EVERYTHING, CONTENT -> 1;
          case ANY -> ODDS[random.nextInt(ODDS.length)];
        };
    changes.forEach(change -> chooseNames(change, names, random));
    synced.forEach((number, kept) ->
        chooseContent(
            disk.file(number),
            kept,
            overwritten.getOrDefault(number, Collections.emptySortedMap()),
            bytes,
            random));
    return disk;
  }

  private void chooseNames(Change change, double odds, Random random) {
    change.survives =
        change.isDurable
            || (random.nextDouble() < odds
                && change.standsOn.stream().allMatch(elder -> elder.survives)
                && change.needs.stream().allMatch(disk::isReachable));
    if (change.survives) {
      change.names.forEach((name, number) -> disk.setName(name, number.orElse(null), change.time));
    }
  }

  private static void chooseContent(
      Inodes.File file, Synced kept, SortedMap<Integer, byte[]> pages, double odds, Random random) {
    int unsynced = file.size() - kept.size();
    if (unsynced == 0 && pages.isEmpty()) {
      return;
    }
    int size = kept.size();
    if (random.nextDouble() < odds) {
      size = file.size();
    } else if (odds > 0 && unsynced > 0 && random.nextBoolean()) {
      size += random.nextInt(unsynced + 1);
    }
    byte[] content = Arrays.copyOf(file.content(), size);
    for (int begin = kept.size(); begin < size; begin = nextPage(begin)) {
      if (random.nextDouble() >= odds) {
        spoil(content, begin, Math.min(size, nextPage(begin)), random);
      }
    }
    pages.forEach((begin, page) -> {
      if (random.nextDouble() >= odds) {
        int end = Math.min(content.length, begin + page.length);
        takeBack(content, begin, end, page, odds > 0 ? random.nextInt(3) : 0, random);
      }
    });
    boolean isLater = size > kept.size() || (odds > 0 && !pages.isEmpty());
    file.replace(content, isLater ? file.modified() : kept.modified());
  }

  private static void takeBack(
      byte[] content, int begin, int end, byte[] page, int how, Random random) {
    int from = how == 1 && end > begin ? begin + random.nextInt(end - begin) : begin;
    for (int i = from; i < end; i++) {
      byte old = page[i - begin];
      content[i] = how == 2 && content[i] != old ? (byte) random.nextInt() : old;
    }
  }

  private static int nextPage(int position) {
    return (position / PAGE_BYTES + 1) * PAGE_BYTES;
  }

  private static void spoil(byte[] content, int begin, int end, Random random) {
    switch (random.nextInt(3)) {
      case 0 -> Arrays.fill(content, begin, end, (byte) 0);
      case 1 -> Arrays.fill(content, begin + random.nextInt(end - begin), end, (byte) 0);
      default -> {
        byte[] garbage = new byte[end - begin];
        random.nextBytes(garbage);
        System.arraycopy(garbage, 0, content, begin, garbage.length);
      }
    }
  }
}
