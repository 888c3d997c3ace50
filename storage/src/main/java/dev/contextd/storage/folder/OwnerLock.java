package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.gob.FormatException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The one owner of a store: an exclusive lock on {@code .contextd/lock}, which the system gives
 * back when the process ends, however it ends.
 *
 * <p>Who holds it stands in {@code .contextd/owner.json}: {@code version}, {@code pid}, {@code
 * since} (RFC 3339), {@code address} (where it can be called; empty where it cannot).
 */
public final class OwnerLock implements Closeable {
  private static final int VERSION = 1;

  private final Disk disk;
  private final Path directory;
  private final Clock clock;
  private final FileCalls.Lock lock;

  private OwnerLock(Disk disk, Path directory, Clock clock, FileCalls.Lock lock) {
    this.disk = disk;
    this.directory = directory;
    this.clock = clock;
    this.lock = lock;
  }

  /** Somebody else owns the store. */
  public static final class OwnedException extends IOException {
    private static final long serialVersionUID = 1L;

    public OwnedException(String message) {
      super(message);
    }
  }

  /**
   * Takes the lock.
   *
   * @param directory {@code .contextd} in the store's root
   * @throws OwnedException where another process, or another store of this one, has it
   */
  public static OwnerLock take(Disk disk, Path directory, Clock clock) throws IOException {
    FileCalls.Lock lock =
        disk.tryLock(directory.resolve(OwnNames.LOCK))
            .orElseThrow(() -> new OwnedException(describe(disk, directory)));
    return new OwnerLock(disk, directory, clock, lock);
  }

  /** Tells others how to reach the owner. */
  public void announce(String address) throws IOException {
    byte[] content =
        JsonFile.write(json -> {
          json.writeNumberField("version", VERSION);
          json.writeNumberField("pid", ProcessHandle.current().pid());
          json.writeStringField("since", clock.instant().toString());
          json.writeStringField("address", address);
        });
    disk.replaceDurably(List.of(new Disk.Image(directory.resolve(OwnNames.OWNER), content)));
  }

  /**
   * Who has a store open.
   *
   * @param pid empty where it is not known
   * @param since RFC 3339; empty where it is not known
   * @param address that it listens on; empty where it listens on none, or not yet
   */
  public record Owner(String pid, String since, String address) {}

  /**
   * Tells who has a store open, without taking it.
   *
   * @param directory {@code .contextd} in the store's root
   * @return empty where nobody has
   * @throws IOException where it cannot be told
   */
  public static Optional<Owner> ownerOf(Disk disk, Path directory) throws IOException {
    Path file = directory.resolve(OwnNames.LOCK);
    if (!disk.exists(file)) {
      return Optional.empty();
    }
    Optional<FileCalls.Lock> lock = disk.tryLock(file);
    if (lock.isPresent()) {
      lock.get().close();
      return Optional.empty();
    }
    Map<String, String> fields = owner(disk, directory).orElse(Map.of());
    return Optional.of(
        new Owner(
            fields.getOrDefault("pid", ""),
            fields.getOrDefault("since", ""),
            fields.getOrDefault("address", "")));
  }

  private static String describe(Disk disk, Path directory) {
    String root = String.valueOf(directory.resolveSibling(""));
    Optional<Map<String, String>> owner = owner(disk, directory);
    if (owner.isEmpty()) {
      return "the store " + root + " is open in another process; stop that one first";
    }
    String address = owner.get().getOrDefault("address", "");
    return "the store %s is open in process %s since %s%s; use that one, or stop it first"
        .formatted(
            root,
            owner.get().getOrDefault("pid", "?"),
            owner.get().getOrDefault("since", "?"),
            address.isEmpty() ? "" : ", which listens on " + address);
  }

  private static Optional<Map<String, String>> owner(Disk disk, Path directory) {
    try {
      return Optional.of(JsonFile.scalars(disk.read(directory.resolve(OwnNames.OWNER))));
    } catch (IOException | FormatException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
