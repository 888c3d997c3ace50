package dev.contextd.resilience.remote;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Copies everything from one store to another, a page at a time, and then compares both. What is
 * there already is not written again, so that one that was cut short goes on from there when it is
 * begun again. What the other side can never hold is told. Nothing is deleted on either side.
 */
public final class Migration {
  private static final int SUM_BYTES = 32;

  private final DocumentStore from;
  private final DocumentStore to;
  private final Consumer<Progress> told;
  private final Examples examples = new Examples();
  private long total;
  private long done;
  private long copied;
  private long different;
  private long extra;

  /**
   * How far it is.
   *
   * @param what is done: {@code copying}, then {@code comparing}
   * @param done documents so far
   * @param total documents in all
   */
  public record Progress(String what, long done, long total) {}

  /**
   * What it came to.
   *
   * @param documents in the store it came from
   * @param copied that were not there before
   * @param different that are missing or another one there, after all
   * @param extra that are there and were not where it came from
   * @param sumFrom of all documents' ids, contents and metadata, whatever their order: the SHA-256
   *     of each, combined by exclusive or
   * @param sumTo of the same documents on the other side
   * @param examples a sentence each for the first few that differ
   */
  public record Result(
      int collections,
      long documents,
      long copied,
      long different,
      long extra,
      String sumFrom,
      String sumTo,
      List<String> examples) {
    public Result {
      examples = List.copyOf(examples);
    }

    /** Whether everything is there as it was. */
    public boolean isComplete() {
      return different == 0 && sumFrom.equals(sumTo);
    }
  }

  private Migration(DocumentStore from, DocumentStore to, Consumer<Progress> told) {
    this.from = from;
    this.to = to;
    this.told = told;
  }

  /**
   * Copies and compares.
   *
   * @param told hears after every page; what it throws ends the copying
   * @throws StoreException where a store fails, or refuses a document; running it again goes on
   */
  public static Result run(DocumentStore from, DocumentStore to, Consumer<Progress> told) {
    return new Migration(from, to, told).run();
  }

  private Result run() {
    List<CollectionInfo> collections = from.collections(Scope.ALL);
    total = collections.stream().mapToLong(CollectionInfo::count).sum();
    for (CollectionInfo info : collections) {
      create(info);
      eachPage(from, info.name(), page -> copy(info.name(), page));
    }
    done = 0;
    byte[] sumFrom = new byte[SUM_BYTES];
    byte[] sumTo = new byte[SUM_BYTES];
    long documents = 0;
    for (CollectionInfo info : collections) {
      long before = done;
      eachPage(from, info.name(), page -> compare(info.name(), page, sumFrom, sumTo));
      documents += done - before;
      long there = to.collection(info.name(), Scope.ALL).map(VectorCollection::count).orElse(0L);
      extra += Math.max(0, there - (done - before));
    }
    HexFormat hex = HexFormat.of();
    return new Result(
        collections.size(),
        documents,
        copied,
        different,
        extra,
        hex.formatHex(sumFrom),
        hex.formatHex(sumTo),
        examples.all());
  }

  private void create(CollectionInfo info) {
    try {
      to.create(info.name(), info.metadata());
    } catch (StoreException e) {
      if (e.code() != ErrorCode.COLLECTION_EXISTS) {
        throw e;
      }
      examples.add(
          "the collection \"%s\" has other metadata there, which stay".formatted(info.name()));
    }
  }

  private static void eachPage(DocumentStore store, String name, Consumer<List<Document>> each) {
    store.collection(name, Scope.ALL).ifPresent(all -> Pages.each(all, each));
  }

  private Map<String, Document> there(String name, List<Document> documents) {
    Map<String, Document> found = new HashMap<>();
    List<String> ids = documents.stream().map(Document::id).toList();
    to.collection(name, Scope.ALL)
        .ifPresent(all -> all.get(ids).forEach(one -> found.put(one.id(), one)));
    return found;
  }

  private void copy(String name, List<Document> documents) {
    Map<String, Document> found = there(name, documents);
    List<NewDocument> wanted =
        documents.stream()
            .filter(one -> Sameness.differs(one, found.get(one.id())))
            .map(one ->
                NewDocument.of(one.id(), one.content(), one.embedding())
                    .withMetadata(one.metadata()))
            .toList();
    if (!wanted.isEmpty()) {
      write(name, wanted);
    }
    done += documents.size();
    told.accept(new Progress("copying", done, total));
  }

  /** A document that the other side can never hold costs itself alone. */
  private void write(String name, List<NewDocument> wanted) {
    try {
      to.upsert(name, wanted, Scope.ALL);
      copied += wanted.size();
    } catch (StoreException e) {
      boolean isRefusal =
          switch (e.code()) {
            case INVALID_ARGUMENT, INVALID_VECTOR, DIMENSION_MISMATCH, TOO_LARGE -> true;
            default -> false;
          };
      if (!isRefusal) {
        throw e;
      }
      if (wanted.size() > 1) {
        wanted.forEach(one -> write(name, List.of(one)));
      } else {
        examples.add(
            "\"%s\" of \"%s\" is refused: %s"
                .formatted(wanted.getFirst().id().orElse(""), name, e.getMessage()));
      }
    }
  }

  private void compare(String name, List<Document> documents, byte[] sumFrom, byte[] sumTo) {
    Map<String, Document> found = there(name, documents);
    for (Document document : documents) {
      combine(sumFrom, document);
      Document other = found.get(document.id());
      if (other != null) {
        combine(sumTo, other);
      }
      if (Sameness.differs(document, other)) {
        different++;
        examples.add(
            "\"%s\" of \"%s\" is %s there"
                .formatted(document.id(), name, other == null ? "missing" : "another one"));
      }
    }
    done += documents.size();
    told.accept(new Progress("comparing", done, total));
  }

  private static void combine(byte[] sum, Document document) {
    byte[] one = Sameness.sum(document);
    for (int i = 0; i < SUM_BYTES; i++) {
      sum[i] ^= one[i];
    }
  }
}
