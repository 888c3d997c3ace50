package dev.contextd.storage.outbox;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

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

  private static final StateFile FORMAT =
      new StateFile(0x004254554F585443L, 1, "a state of the outbox");
  private static final int MIN_NAME_BYTES = Long.BYTES + Integer.BYTES;

  /** More sentences than these help nobody: everything must be compared after the first. */
  private static final int MAX_GAPS = 8;

  OutboxState {
    gaps = List.copyOf(gaps);
    names = Map.copyOf(names);
  }

  OutboxState withShipped(long through) {
    return new OutboxState(through, gaps, names);
  }

  OutboxState withGaps(Collection<String> more) {
    return new OutboxState(shipped, more(gaps, more), names);
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
  static StateFile.Found<OutboxState> read(Disk disk, Path directory) throws IOException {
    return FORMAT.read(disk, directory.resolve(FILE), OutboxState::decode);
  }

  void write(Disk disk, Path directory) throws IOException {
    BinaryWriter out = FORMAT.begin().u64(shipped).u32(gaps.size());
    gaps.forEach(out::string);
    out.u32(names.size());
    new TreeMap<>(names).forEach((incarnation, name) -> out.u64(incarnation).string(name));
    FORMAT.write(disk, directory.resolve(FILE), out);
  }

  private static OutboxState decode(BinaryReader in) throws FormatException {
    long shipped = in.u64();
    List<String> gaps = gaps(in);
    int nameCount = in.count(MIN_NAME_BYTES);
    Map<Long, String> names = new TreeMap<>();
    for (int i = 0; i < nameCount; i++) {
      names.put(in.u64(), in.string());
    }
    return new OutboxState(shipped, gaps, names);
  }

  /** A count, then so many sentences. */
  static List<String> gaps(BinaryReader in) throws FormatException {
    int count = in.count(Integer.BYTES);
    List<String> gaps = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      gaps.add(in.string());
    }
    return gaps;
  }

  /** These sentences and more, the first few. */
  static List<String> more(List<String> gaps, Collection<String> more) {
    Set<String> all = new LinkedHashSet<>(gaps);
    more.stream().takeWhile(_ -> all.size() < MAX_GAPS).forEach(all::add);
    return List.copyOf(all);
  }
}
