package dev.contextd.storage.journal;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** What the tests of the journal share. */
final class Journals {
  private static final float[] VECTOR = {1, -0.5f, Float.MIN_VALUE};

  private Journals() {}

  /** What a record did: nothing yet, or taken effect, or taken back. */
  static final class Watched implements Journal.Effect {
    private final List<String> log;
    private final String name;

    Watched(List<String> log, String name) {
      this.log = log;
      this.name = name;
    }

    @Override
    public void publish() {
      log.add("+" + name);
    }

    @Override
    public void discard() {
      log.add("-" + name);
    }
  }

  /** A record that a test can tell by its name. */
  static JournalRecord record(String name) {
    return new JournalRecord.Put(
        7, Optional.empty(), List.of(new StoredDocument(name, Map.of("k", name), VECTOR, "text")));
  }

  static String name(JournalRecord record) {
    return record instanceof JournalRecord.Put put ? put.documents().getFirst().id() : "?";
  }

  /** The names of the records that are replayed, each of which must be whole. */
  static List<String> names(JournalReplay replay) {
    List<String> names = new ArrayList<>();
    long before = 0;
    for (JournalReplay.Entry entry : replay.entries()) {
      String name = name(entry.record());
      if (entry.sequence() <= before || !sameBytes(entry.record(), record(name))) {
        throw new AssertionError("altered or out of order: " + entry);
      }
      before = entry.sequence();
      names.add(name);
    }
    return names;
  }

  static boolean sameBytes(JournalRecord a, JournalRecord b) {
    JournalRecord.Encoded x = JournalRecord.encode(a);
    JournalRecord.Encoded y = JournalRecord.encode(b);
    return x.type() == y.type()
        && x.incarnation() == y.incarnation()
        && x.payload().equals(y.payload());
  }

  static JournalReplay read(Path directory) throws IOException {
    return JournalReplay.read(new LocalDisk(), directory, 0, 0);
  }

  static Journal open(Path directory, Disk disk) throws IOException {
    return open(directory, disk, read(directory), () -> {});
  }

  static Journal open(Path directory, Disk disk, JournalReplay replay, Journal.Gate gate) {
    return new Journal(
        disk,
        directory,
        replay.nextSequence(),
        replay.segments(),
        replay.toVoid(),
        gate,
        file -> Files.move(file, file.resolveSibling("kept-" + file.getFileName())),
        null,
        new Random(1));
  }

  static Journal.Ticket enqueue(Journal journal, String name, List<String> log) throws IOException {
    Journal.Ticket ticket = Journal.prepare(record(name), new Watched(log, name));
    journal.enqueue(ticket);
    return ticket;
  }

  /** Writes records, each with a sync of its own. */
  static void write(Journal journal, String... names) throws IOException {
    for (String name : names) {
      journal.await(enqueue(journal, name, new ArrayList<>()));
    }
  }

  /** Writes records that share one sync. */
  static void writeTogether(Journal journal, String... names) throws IOException {
    List<Journal.Ticket> tickets = new ArrayList<>();
    for (String name : names) {
      tickets.add(enqueue(journal, name, new ArrayList<>()));
    }
    for (Journal.Ticket ticket : tickets) {
      journal.await(ticket);
    }
  }

  static List<Path> segments(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> Segment.firstSequence(String.valueOf(file.getFileName())).isPresent())
          .sorted()
          .toList();
    }
  }

  static Path only(Path directory) throws IOException {
    List<Path> segments = segments(directory);
    if (segments.size() != 1) {
      throw new AssertionError("expected one segment, found " + segments);
    }
    return segments.getFirst();
  }

  static ByteBuffer bytes(Path segment) {
    try {
      return ByteBuffer.wrap(Files.readAllBytes(segment)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All frames of an undamaged segment. */
  static List<Segment.Frame> frames(Path segment) {
    ByteBuffer bytes = bytes(segment);
    int salt = ((Segment.Head.Known) Segment.readHead(bytes)).salt();
    List<Segment.Frame> frames = new ArrayList<>();
    for (int at = Segment.HEAD_BYTES; at < bytes.limit(); at = frames.getLast().end()) {
      Segment.Frame frame = Segment.frame(bytes, salt, at);
      if (frame == null) {
        throw new AssertionError("no frame at offset " + at + " of " + segment);
      }
      frames.add(frame);
    }
    return frames;
  }

  /** Turns every bit of some bytes of a file. */
  static void invert(Path file, int from, int to) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    for (int i = from; i < to; i++) {
      bytes[i] ^= (byte) 0xff;
    }
    Files.write(file, bytes);
  }
}
