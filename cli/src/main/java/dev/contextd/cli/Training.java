package dev.contextd.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A short run of the tool over a store of its own, from which the build makes the cache that lets
 * later starts skip loading and linking classes (JEP 514).
 */
final class Training {
  private Training() {}

  public static void main(String[] args) throws IOException {
    Path root = Files.createTempDirectory("ctxd-training-");
    try {
      Path store = Files.createDirectories(root.resolve("store"));
      for (String words :
          List.of("repair --dry-run", "health", "metadata list", "metadata quarantine list")) {
        Main.run((words + " --path " + store).split(" ", -1));
      }
    } finally {
      remove(root);
    }
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
