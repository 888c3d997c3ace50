package dev.contextd.testkit;

/** A change of a simulated disk, or a call that makes changes durable. */
sealed interface Operation {

  /** A name in a folder. */
  record Name(int directory, String text) {}

  /** A new empty file or folder. */
  record Create(Name name, int inode, boolean isDirectory) implements Operation {}

  record Append(int inode, byte[] bytes) implements Operation {}

  /** Overwrites bytes that are there. */
  record Overwrite(int inode, int position, byte[] bytes) implements Operation {}

  /** Takes away zeros from a size on. */
  record Truncate(int inode, int size) implements Operation {}

  /** Gives a file or folder another name, which what bore it loses. */
  record Rename(Name from, Name to, int inode) implements Operation {}

  record Remove(Name name, int inode) implements Operation {}

  record SyncFile(int inode) implements Operation {}

  record SyncDirectory(int inode) implements Operation {}

  record SyncFileSystem() implements Operation {}
}
