package dev.contextd.crash;

import dev.contextd.storage.chromem.Compression;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Folders as a whole: copied with their times, summed, removed. Links are never followed. */
final class Folders {
  private Folders() {}

  static void copy(Path source, Path target) throws IOException {
    try (Stream<Path> walk = Files.walk(source)) {
      for (Path path : walk.toList()) {
        Path to = target.resolve(source.relativize(path).toString());
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
          Files.createDirectories(to);
        } else {
          Files.copy(path, to, LinkOption.NOFOLLOW_LINKS, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  static void remove(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** The regular files below a folder, as paths below it, in order. */
  static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
          .map(folder::relativize)
          .sorted()
          .toList();
    }
  }

  /** How often each content occurs among the gob files that hold anything, wherever they lie. */
  static Map<String, Integer> gobContents(Path root) throws IOException {
    Map<String, Integer> contents = new TreeMap<>();
    for (Path file : files(root)) {
      boolean isGob = Compression.ofFileName(String.valueOf(file.getFileName())).isPresent();
      byte[] bytes = isGob ? Files.readAllBytes(root.resolve(file)) : new byte[0];
      if (bytes.length > 0) {
        contents.merge(sha256(bytes), 1, Integer::sum);
      }
    }
    return contents;
  }

  /** What one count has more of than the other. */
  static Map<String, Integer> missing(Map<String, Integer> before, Map<String, Integer> after) {
    Map<String, Integer> missing = new TreeMap<>();
    before.forEach((content, count) -> {
      int gone = count - after.getOrDefault(content, 0);
      if (gone > 0) {
        missing.put(content, gone);
      }
    });
    return missing;
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
