package dev.contextd.storage.outbox;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How far the pending writes were sent, and what is known of the remote, {@code
 * .contextd/pending/state}, replaced durably. In the terms of {@link BinaryWriter}:
 *
 * <pre>
 * u64  "CTXPEND" and a zero        u32  version, 1
 * u64  shipped: the remote has every write up to this sequence
 * u64  since, in milliseconds since 1970: what was shipped before may not be kept
 * string  begun: a segment that the journal has; empty where none must be there
 * u32  count of gaps, then each: string, a sentence
 * u8   1 where the collections are all there were on the remote when it was last asked
 * u32  count of collections, then each: string name, map metadata, u32 dimension,
 *      u8 has model, [string model], u8 has owner, [string owner: who else writes to it]
 * u32  CRC32C of everything before
 * </pre>
 *
 * @param gaps what the remote will not get from here, a sentence each
 * @param isComplete whether a collection that is not among these was not on the remote
 */
record PendingState(
    long shipped,
    Instant since,
    String begun,
    List<String> gaps,
    boolean isComplete,
    Map<String, KnownCollection> collections) {
  static final String FILE = "state";

  private static final StateFile FORMAT =
      new StateFile(0x00444E4550585443L, 1, "a state of pending writes");
  private static final int MIN_COLLECTION_BYTES = 3 * Integer.BYTES + 2;

  PendingState {
    gaps = List.copyOf(gaps);
    collections = Map.copyOf(collections);
  }

  static PendingState begin(long shipped, Instant now, List<String> gaps) {
    return new PendingState(shipped, now, "", gaps, false, Map.of());
  }

  /** All up to a sequence is there, these writes as the last of it. */
  PendingState withShipped(long through, List<PendingLog.Write> writes) {
    Map<String, KnownCollection> known = new TreeMap<>(collections);
    for (PendingLog.Write write : writes) {
      KnownCollection after = KnownCollection.after(known.get(write.collection()), write.record());
      if (after == null) {
        known.remove(write.collection());
      } else {
        known.put(write.collection(), after);
      }
    }
    return new PendingState(through, since, begun, gaps, isComplete, known);
  }

  PendingState withSince(Instant newSince) {
    return new PendingState(shipped, newSince, begun, gaps, isComplete, collections);
  }

  PendingState withBegun(String segment) {
    return new PendingState(shipped, since, segment, gaps, isComplete, collections);
  }

  PendingState withGaps(Collection<String> more) {
    return new PendingState(
        shipped, since, begun, OutboxState.more(gaps, more), isComplete, collections);
  }

  PendingState withoutGaps() {
    return new PendingState(shipped, since, begun, List.of(), isComplete, collections);
  }

  PendingState withCollection(String name, @Nullable KnownCollection known) {
    Map<String, KnownCollection> changed = new TreeMap<>(collections);
    if (known == null) {
      changed.remove(name);
    } else {
      changed.put(name, known);
    }
    return new PendingState(shipped, since, begun, gaps, isComplete, changed);
  }

  PendingState withAll(Map<String, KnownCollection> all) {
    return new PendingState(shipped, since, begun, gaps, true, all);
  }

  static StateFile.Found<PendingState> read(Disk disk, Path directory) throws IOException {
    return FORMAT.read(disk, directory.resolve(FILE), PendingState::decode);
  }

  void write(Disk disk, Path directory) throws IOException {
    BinaryWriter out =
        FORMAT.begin().u64(shipped).u64(since.toEpochMilli()).string(begun).u32(gaps.size());
    gaps.forEach(out::string);
    out.u8(isComplete ? 1 : 0).u32(collections.size());
    new TreeMap<>(collections)
        .forEach((name, known) -> {
          out.string(name).map(known.metadata()).u32(known.dimension());
          write(out, known.model());
          write(out, known.owner());
        });
    FORMAT.write(disk, directory.resolve(FILE), out);
  }

  private static void write(BinaryWriter out, Optional<String> text) {
    out.u8(text.isPresent() ? 1 : 0);
    text.ifPresent(out::string);
  }

  private static Optional<String> optional(BinaryReader in) throws FormatException {
    return in.u8() == 1 ? Optional.of(in.string()) : Optional.empty();
  }

  private static PendingState decode(BinaryReader in) throws FormatException {
    long shipped = in.u64();
    Instant since = Instant.ofEpochMilli(in.u64());
    String begun = in.string();
    List<String> gaps = OutboxState.gaps(in);
    boolean isComplete = in.u8() == 1;
    int count = in.count(MIN_COLLECTION_BYTES);
    Map<String, KnownCollection> collections = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      String name = in.string();
      Map<String, String> metadata = in.map();
      int dimension = in.u32();
      collections.put(
          name,
          new KnownCollection(
              metadata == null ? Map.of() : metadata, dimension, optional(in), optional(in)));
    }
    return new PendingState(shipped, since, begun, gaps, isComplete, collections);
  }
}
