package dev.contextd.resilience;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in which folders something has changed, where the system tells.
 *
 * <p>Which file it was does not matter: a rename over a file shows as a creation, and where too
 * much happens at once the system only says that it does. The folder is looked into either way.
 */
final class FolderEvents implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FolderEvents.class);

  private static final WatchEvent.Kind<?>[] KINDS = {
    StandardWatchEventKinds.ENTRY_CREATE,
    StandardWatchEventKinds.ENTRY_DELETE,
    StandardWatchEventKinds.ENTRY_MODIFY
  };

  /** Stands for the folder above the root; no folder below it has such a name. */
  private static final String ABOVE = "..";

  /** So many folders' events are gathered before anybody hears of them. */
  private static final int MAX_AT_ONCE = 1_000;

  private final Path root;
  private final WatchService service;
  private final Consumer<Set<String>> touched;
  private final Map<WatchKey, String> folders = new HashMap<>();
  private boolean isFull;

  private FolderEvents(Path root, WatchService service, Consumer<Set<String>> touched) {
    this.root = root;
    this.service = service;
    this.touched = touched;
  }

  /**
   * Begins to watch a root; its folders are named to {@link #watch}.
   *
   * @param touched takes the names of folders below the root in which something changed; the empty
   *     name is the root's own
   * @throws IOException where the system tells nothing
   */
  static FolderEvents of(Path root, Consumer<Set<String>> touched) throws IOException {
    WatchService service = root.getFileSystem().newWatchService();
    try {
      FolderEvents events = new FolderEvents(root, service, touched);
      events.folders.put(root.register(service, KINDS), "");
      events.watchAbove();
      Thread.ofPlatform().daemon().name("folder-events").start(events::loop);
      return events;
    } catch (IOException | RuntimeException e) {
      service.close();
      throw e;
    }
  }

  /** Where another folder takes the root's place, only the folder above tells. */
  private void watchAbove() {
    Path above = root.toAbsolutePath().getParent();
    try {
      if (above != null) {
        folders.put(above.register(service, KINDS), ABOVE);
      }
    } catch (IOException e) {
      log.debug("{} cannot be watched: {}", above, e.toString());
    }
  }

  /**
   * Watches these folders too.
   *
   * @return those that were not watched before
   */
  synchronized Set<String> watch(Collection<String> names) {
    Set<String> fresh = new HashSet<>(names);
    fresh.removeAll(folders.values());
    Set<String> added = new HashSet<>();
    for (String name : fresh) {
      try {
        folders.put(root.resolve(name).register(service, KINDS), name);
        added.add(name);
      } catch (IOException e) {
        if (!isFull) {
          isFull = true;
          log.warn(
              "changes in {} are found by the next check only, because it cannot be watched: {}",
              name,
              e.toString());
        }
      } catch (ClosedWatchServiceException e) {
        return Set.of();
      }
    }
    return added;
  }

  private void loop() {
    try {
      while (true) {
        WatchKey key = service.take();
        Set<String> names = new HashSet<>();
        for (int i = 0; key != null && i < MAX_AT_ONCE; i++) {
          names.addAll(take(key));
          key = service.poll();
        }
        if (key != null) {
          names.addAll(take(key));
        }
        if (!names.isEmpty()) {
          touched.accept(names);
        }
      }
    } catch (InterruptedException | ClosedWatchServiceException e) {
      log.debug("folders are watched no more");
    }
  }

  private synchronized Set<String> take(WatchKey key) {
    String folder = folders.getOrDefault(key, "");
    Set<String> names = new HashSet<>();
    for (WatchEvent<?> event : key.pollEvents()) {
      if (folder.equals(ABOVE)) {
        boolean isOverflow = event.context() == null;
        boolean isRoot = isOverflow || root.getFileName().equals(event.context());
        names.addAll(isRoot ? Set.of("") : Set.of());
      } else {
        names.add(folder);
        if (folder.isEmpty() && event.context() instanceof Path name) {
          names.add(name.toString());
        }
      }
    }
    if (!key.reset()) {
      folders.remove(key);
    }
    return names;
  }

  @Override
  public void close() {
    try {
      service.close();
    } catch (IOException e) {
      log.debug("the watch of {} did not close: {}", root, e.toString());
    }
  }
}
