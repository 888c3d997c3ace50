package dev.contextd.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.contextd.storage.disk.FileCalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Everything that a loss of power can leave, found by losing it very often. */
final class Outcomes {
  private static final int TRIES = 4_000;

  static final Path TOP = Path.of("/top").toAbsolutePath();
  static final Path LEFT = TOP.resolve("left");
  static final Path RIGHT = TOP.resolve("right");

  private final long seed = Long.getLong("seed", System.nanoTime());

  Outcomes(String test) {
    System.out.println(test + ": repeat with -Dseed=" + seed);
  }

  /** What a test looks at. */
  interface Look {
    String at(PowerCalls found) throws IOException;
  }

  Set<String> of(PowerCalls calls, Look look) throws IOException {
    return of(calls, calls.logLength(), look);
  }

  Set<String> of(PowerCalls calls, int prefix, Look look) throws IOException {
    Random random = new Random(seed);
    Set<String> outcomes = new TreeSet<>();
    for (int i = 0; i < TRIES; i++) {
      outcomes.add(look.at(calls.crash(prefix, random)));
    }
    return outcomes;
  }

  /** A disk with two folders that are durable. */
  static PowerCalls disk() throws IOException {
    PowerCalls calls = new PowerCalls();
    calls.createDirectory(TOP);
    calls.createDirectory(LEFT);
    calls.createDirectory(RIGHT);
    calls.syncFileSystem(TOP);
    return calls.crash(calls.logLength(), new Random(0));
  }

  static void write(FileCalls calls, Path file, byte[] content) throws IOException {
    try (FileCalls.OpenFile open = calls.create(file)) {
      open.append(ByteBuffer.wrap(content));
    }
  }

  static void write(FileCalls calls, Path file, String content) throws IOException {
    write(calls, file, content.getBytes(ISO_8859_1));
  }

  /** A file whose content and name are durable. */
  static void writeDurably(FileCalls calls, Path file, String content) throws IOException {
    write(calls, file, content);
    calls.syncFile(file);
    calls.syncDirectory(file.resolveSibling(""));
  }

  static byte[] read(FileCalls calls, Path file) throws IOException {
    try (FileCalls.OpenFile open = calls.open(file)) {
      ByteBuffer content = ByteBuffer.allocate((int) open.size());
      open.read(content, 0);
      return content.array();
    }
  }

  /** The content of files, in order, {@code -} where there is none of the name. */
  static Look contents(Path... files) {
    return found -> {
      List<String> texts = new ArrayList<>();
      for (Path file : files) {
        texts.add(found.stat(file) == null ? "-" : new String(read(found, file), ISO_8859_1));
      }
      return String.join(" ", texts);
    };
  }

  /** The names in a folder. */
  static Look names(Path directory) {
    return found -> found.stat(directory) == null ? "-" : found.names(directory).toString();
  }
}
