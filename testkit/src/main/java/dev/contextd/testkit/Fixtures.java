package dev.contextd.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The data written by the real chromem-go, and the other recorded files, in {@code fixtures/}. */
public final class Fixtures {
  private Fixtures() {}

  /** The project's root folder, wherever the test was started. */
  public static Path project() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.isDirectory(folder.resolve("fixtures/chromem-go"))) {
      folder = folder.getParent();
    }
    if (folder == null) {
      throw new IllegalStateException(
          "no folder above " + Path.of("").toAbsolutePath() + " holds fixtures/chromem-go");
    }
    return folder;
  }

  public static Path path(String name) {
    return project().resolve("fixtures").resolve(name);
  }

  /** Copies a fixture folder into a folder that exists or is created. */
  public static void copy(String name, Path target) throws IOException {
    copyTree(path(name), target);
  }

  public static void copyTree(Path source, Path target) throws IOException {
    try (Stream<Path> walk = Files.walk(source)) {
      for (Path path : walk.toList()) {
        Path to = target.resolve(source.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(to);
        } else {
          Files.copy(path, to);
        }
      }
    }
  }
}
