package dev.contextd.storage.disk;

/** The system's words for why a call failed. */
final class Errno {
  private Errno() {}

  static String text(int errno) {
    return switch (errno) {
      case 2 -> "No such file or directory";
      case 5 -> "Input/output error";
      case 13 -> "Permission denied";
      case 20 -> "Not a directory";
      case 23, 24 -> "Too many open files";
      case 28 -> "No space left on device";
      case 30 -> "Read-only file system";
      case 122 -> "Disk quota exceeded";
      default -> "error " + errno;
    };
  }
}
