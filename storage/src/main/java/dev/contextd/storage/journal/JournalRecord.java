package dev.contextd.storage.journal;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.gob.FormatException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One write, whole: what a record of the journal holds.
 *
 * <p>Its payload, in the terms of {@link BinaryWriter}; the type and the collection's incarnation
 * stand in the record's head, see {@link Segment}:
 *
 * <pre>
 * type 1  Created   string folder, string name, map metadata, u8 gzip
 * type 2  Dropped   nothing
 * type 3  Put       u8 has model, [string model, u32 dimension], u32 count,
 *                   then each: string id, string content, map metadata, floats embedding
 * type 4  Removed   u32 count, then each: string id
 * type 5  Voided    u64 from, u64 to: these sequences never happened
 * type 6  Addressed string name of the collection, u8 type, then what that type holds
 * </pre>
 */
public sealed interface JournalRecord {

  /** The number of the collection's creation; 0 where the record is about none. */
  long incarnation();

  /** A collection was created. */
  record Created(
      long incarnation,
      String folder,
      String name,
      @Nullable Map<String, String> metadata,
      Compression compression)
      implements JournalRecord {}

  /** A collection was deleted. */
  record Dropped(long incarnation) implements JournalRecord {}

  /**
   * Documents were added or replaced.
   *
   * @param model that embedded at least one of them
   */
  record Put(long incarnation, Optional<ModelRecord> model, List<StoredDocument> documents)
      implements JournalRecord {}

  /** Documents were deleted. */
  record Removed(long incarnation, List<String> ids) implements JournalRecord {}

  /** Writes that were reported as failed, or that nobody was told of: they never happened. */
  record Voided(long from, long to) implements JournalRecord {
    @Override
    public long incarnation() {
      return 0;
    }
  }

  /**
   * A write to a collection that bears no number, because it does not lie here; only what is
   * pending for a remote holds such.
   *
   * @param write of which the incarnation is 0
   */
  record Addressed(String collection, JournalRecord write) implements JournalRecord {
    @Override
    public long incarnation() {
      return 0;
    }
  }

  int CREATED = 1;
  int DROPPED = 2;
  int PUT = 3;
  int REMOVED = 4;
  int VOIDED = 5;
  int ADDRESSED = 6;

  /** A record takes at most this many bytes. */
  int MAX_PAYLOAD_BYTES = 256 << 20;

  private static int type(JournalRecord record) {
    return switch (record) {
      case Created _ -> CREATED;
      case Dropped _ -> DROPPED;
      case Put _ -> PUT;
      case Removed _ -> REMOVED;
      case Voided _ -> VOIDED;
      case Addressed _ -> ADDRESSED;
    };
  }

  /** A record as bytes; made without any lock. */
  record Encoded(int type, long incarnation, ByteBuffer payload) {}

  static Encoded encode(JournalRecord record) {
    BinaryWriter out = new BinaryWriter((int) Math.min(estimate(record), MAX_PAYLOAD_BYTES));
    write(record, out);
    return new Encoded(type(record), record.incarnation(), out.toByteBuffer());
  }

  private static long estimate(JournalRecord record) {
    return switch (record) {
      case Put put ->
          64
              + put.documents().stream()
                  .mapToLong(one ->
                      128L + one.content().length() + (long) one.embedding().length * Float.BYTES)
                  .sum();
      case Addressed addressed -> 64 + estimate(addressed.write());
      case Created _, Dropped _, Removed _, Voided _ -> 64;
    };
  }

  private static void write(JournalRecord record, BinaryWriter out) {
    switch (record) {
      case Created created ->
          out.string(created.folder())
              .string(created.name())
              .map(created.metadata())
              .u8(created.compression() == Compression.GZIP ? 1 : 0);
      case Dropped _ -> {
        // That it is one says all.
      }
      case Put put -> write(put, out);
      case Removed removed -> {
        out.u32(removed.ids().size());
        removed.ids().forEach(out::string);
      }
      case Voided voided -> out.u64(voided.from()).u64(voided.to());
      case Addressed addressed -> {
        out.string(addressed.collection()).u8(type(addressed.write()));
        write(addressed.write(), out);
      }
    }
  }

  private static void write(Put put, BinaryWriter out) {
    out.u8(put.model().isPresent() ? 1 : 0);
    put.model().ifPresent(model -> out.string(model.model()).u32(model.dimension()));
    out.u32(put.documents().size());
    for (StoredDocument document : put.documents()) {
      out.string(document.id())
          .string(document.content())
          .map(document.metadata())
          .floats(document.embedding());
    }
  }

  /**
   * Reads a record whose checksum was right.
   *
   * @throws FormatException where this version does not understand it
   */
  static JournalRecord decode(int type, long incarnation, ByteBuffer payload)
      throws FormatException {
    BinaryReader in = new BinaryReader(payload);
    JournalRecord record =
        type == ADDRESSED
            ? new Addressed(in.string(), read(in.u8(), incarnation, in))
            : read(type, incarnation, in);
    in.end();
    return record;
  }

  private static JournalRecord read(int type, long incarnation, BinaryReader in)
      throws FormatException {
    return switch (type) {
      case CREATED ->
          new Created(
              incarnation,
              in.string(),
              in.string(),
              in.map(),
              in.u8() == 1 ? Compression.GZIP : Compression.PLAIN);
      case DROPPED -> new Dropped(incarnation);
      case PUT -> decodePut(incarnation, in);
      case REMOVED -> {
        int count = in.count(Integer.BYTES);
        List<String> ids = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
          ids.add(in.string());
        }
        yield new Removed(incarnation, ids);
      }
      case VOIDED -> new Voided(in.u64(), in.u64());
      default -> throw new FormatException("a record of the unknown type " + type);
    };
  }

  private static Put decodePut(long incarnation, BinaryReader in) throws FormatException {
    Optional<ModelRecord> model =
        in.u8() == 1 ? Optional.of(new ModelRecord(in.string(), in.u32())) : Optional.empty();
    int count = in.count(4 * Integer.BYTES);
    List<StoredDocument> documents = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      String id = in.string();
      String content = in.string();
      Map<String, String> metadata = in.map();
      documents.add(new StoredDocument(id, metadata, in.floats(), content));
    }
    return new Put(incarnation, model, documents);
  }
}
