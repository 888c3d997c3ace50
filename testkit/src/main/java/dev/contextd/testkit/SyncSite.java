package dev.contextd.testkit;

import java.nio.file.Path;

/** A place in the code that asks for durability, told by the call and by what is synced. */
@FunctionalInterface
public interface SyncSite {

  /** The calls that make something durable. */
  enum Call {
    /** A file's bytes and size, by its open file or by its name. */
    FILE,
    /** The names in a folder. */
    DIRECTORY,
    /** Everything. */
    FILE_SYSTEM
  }

  /**
   * Whether this is the place.
   *
   * @param path the file (by the name it was created or is synced by), the folder, or the root
   */
  boolean matches(Call call, Path path);
}
