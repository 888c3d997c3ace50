package dev.contextd.testkit;

/** What survives a loss of power of that which was not synced. */
public enum Survivors {
  /** Nothing: no name and no byte. */
  NOTHING,
  /** Everything, as if the power had stayed. */
  EVERYTHING,
  /** All changes of names, and no byte: new files are empty. */
  NAMES,
  /** All bytes, and no change of names: new files have none. */
  CONTENT,
  /** Each name and each page by chance. */
  ANY
}
