package dev.contextd.storage.outbox;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * How far the outbox has been emptied, {@code .contextd/outbox/state}, replaced durably. In the
 * terms of {@link BinaryWriter}:
 *
 * <pre>
 * u64  "CTXOUTB" and a zero        u32  version, 1
 * u64  shipped: the remote has every write up to this sequence; all bits set where nobody knows
 * u32  count of gaps, then each: string, a sentence
 * u32  count of names, then each: u64 incarnation, string name of a collection deleted since
 * u32  CRC32C of everything before
 * </pre>
 *
 * @param shipped {@link #UNKNOWN} where whatever comes first is the next
 * @param gaps what the remote will not get from the outbox, a sentence each
 * @param names of collections that are deleted, or about to be, by incarnation
 */
record OutboxState(long shipped, List<String> gaps, Map<Long, String> names) {
  static final String FILE = "state";
  static final long UNKNOWN = -1;

  private static final long MAGIC = 0x004254554F585443L;
  private static final int VERSION = 1;
  private static final int HEAD_BYTES = Long.BYTES + Integer.BYTES;
  private static final int MIN_NAME_BYTES = Long.BYTES + Integer.BYTES;

  /** More sentences than these help nobody: everything must be compared after the first. */
  private static final int MAX_GAPS = 8;

  OutboxState {
    gaps = List.copyOf(gaps);
    names = Map.copyOf(names);
  }

  /** What was found in place of the state. */
  sealed interface Found {
    record Intact(OutboxState state) implements Found {}

    record Absent() implements Found {}

    record Damaged(String reason) implements Found {}

    /** Written by a later version: nothing may be touched. */
    record OtherVersion(int version) implements Found {}
  }

  OutboxState withShipped(long through) {
    return new OutboxState(through, gaps, names);
  }

  OutboxState withGaps(Collection<String> more) {
    Set<String> all = new LinkedHashSet<>(gaps);
    more.stream().takeWhile(_ -> all.size() < MAX_GAPS).forEach(all::add);
    return new OutboxState(shipped, List.copyOf(all), names);
  }

  OutboxState withoutGaps() {
    return new OutboxState(shipped, List.of(), names);
  }

  OutboxState withName(long incarnation, String name) {
    Map<Long, String> more = new TreeMap<>(names);
    more.put(incarnation, name);
    return new OutboxState(shipped, gaps, more);
  }

  OutboxState withoutNames(Collection<Long> incarnations) {
    Map<Long, String> fewer = new TreeMap<>(names);
    fewer.keySet().removeAll(incarnations);
    return new OutboxState(shipped, gaps, fewer);
  }

  /**
   * Reads the state.
   *
   * @throws IOException where it is there and cannot be opened, which says nothing about it
   */
  static Found read(Disk disk, Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    if (!disk.exists(file)) {
      return new Found.Absent();
    }
    if (disk.kind(file) != Disk.Kind.FILE) {
      return new Found.Damaged("it is no file");
    }
    try {
      return decode(disk.read(file));
    } catch (FormatException e) {
      return new Found.Damaged(e.reason());
    }
  }

  void write(Disk disk, Path directory) throws IOException {
    disk.createRealDirectory(directory);
    disk.replaceDurably(List.of(new Disk.Image(directory.resolve(FILE), encode())));
  }

  private byte[] encode() {
    BinaryWriter out = new BinaryWriter().u64(MAGIC).u32(VERSION).u64(shipped).u32(gaps.size());
    gaps.forEach(out::string);
    out.u32(names.size());
    new TreeMap<>(names).forEach((incarnation, name) -> out.u64(incarnation).string(name));
    return out.u32(crc(out.toByteBuffer())).toByteArray();
  }

  private static Found decode(byte[] content) throws FormatException {
    ByteBuffer bytes = ByteBuffer.wrap(content);
    if (content.length < HEAD_BYTES + Integer.BYTES) {
      throw new FormatException(
          "expected a state of the outbox, found " + content.length + " bytes");
    }
    int end = content.length - Integer.BYTES;
    BinaryReader in = new BinaryReader(bytes.duplicate().limit(end));
    int expected = new BinaryReader(bytes.duplicate().position(end)).u32();
    if (in.u64() != MAGIC || expected != crc(bytes.duplicate().limit(end))) {
      throw new FormatException("its checksum is wrong");
    }
    int version = in.u32();
    if (version != VERSION) {
      return new Found.OtherVersion(version);
    }
    long shipped = in.u64();
    int gapCount = in.count(Integer.BYTES);
    List<String> gaps = new ArrayList<>(gapCount);
    for (int i = 0; i < gapCount; i++) {
      gaps.add(in.string());
    }
    int nameCount = in.count(MIN_NAME_BYTES);
    Map<Long, String> names = new TreeMap<>();
    for (int i = 0; i < nameCount; i++) {
      names.put(in.u64(), in.string());
    }
    in.end();
    return new Found.Intact(new OutboxState(shipped, gaps, names));
  }

  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
