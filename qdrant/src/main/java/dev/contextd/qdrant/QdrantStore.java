package dev.contextd.qdrant;

import dev.contextd.engine.Batch;
import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.RemoteCollection;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.Written;
import io.qdrant.client.grpc.Collections.CollectionDescription;
import io.qdrant.client.grpc.Collections.CollectionExistsRequest;
import io.qdrant.client.grpc.Collections.ListCollectionsRequest;
import io.qdrant.client.grpc.QdrantGrpc;
import io.qdrant.client.grpc.QdrantOuterClass.HealthCheckRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Collections on a Qdrant server. A collection is one of the server's, with cosine distance; what
 * ours have beyond that stands in its metadata, see {@link Description}. Documents are points, see
 * {@link Payloads}.
 *
 * <p>Every write waits for the server's acknowledgement. A write that is larger than one message is
 * sent in several, so that a failure may leave part of it done; it is absolute, and can be
 * repeated. Pages come in the order of the points' ids. Safe for many threads.
 */
public final class QdrantStore implements RemoteStore {
  private final Connection connection;
  private final QdrantOptions options;
  private final Optional<Embedder> embedder;
  private final Descriptions descriptions;

  private QdrantStore(QdrantOptions options, Optional<Embedder> embedder) throws IOException {
    this.options = options;
    this.embedder = embedder;
    this.connection = new Connection(options);
    this.descriptions = new Descriptions(connection, options.vectorSize());
  }

  /**
   * Prepares the connection; the server is called when something is asked of it.
   *
   * @param embedder turns text into vectors; the caller closes it
   * @throws IOException where certificates cannot be read
   */
  public static QdrantStore open(QdrantOptions options, Optional<Embedder> embedder)
      throws IOException {
    return new QdrantStore(options, embedder);
  }

  @Override
  public String address() {
    return options.toString();
  }

  /** The server answers a check of its health without a key; whether ours is right is asked too. */
  @Override
  public void ping() {
    try {
      askForHealth(connection.server());
    } catch (StoreException e) {
      // The connection may still tell of an attempt before; it is made anew, and waited for.
      if (e.code() != ErrorCode.REMOTE_UNAVAILABLE || !connection.isReadySoon()) {
        throw e;
      }
      askForHealth(connection.server());
    }
    connection.call(
        "asking for a collection",
        () ->
            connection
                .collections()
                .collectionExists(
                    CollectionExistsRequest.newBuilder().setCollectionName("contextd").build()));
  }

  private void askForHealth(QdrantGrpc.QdrantBlockingStub server) {
    connection.call(
        "asking for its health", () -> server.healthCheck(HealthCheckRequest.getDefaultInstance()));
  }

  @Override
  public List<CollectionInfo> collections(Scope scope) {
    List<String> names =
        connection
            .call(
                "listing the collections",
                () -> connection.collections().list(ListCollectionsRequest.getDefaultInstance()))
            .getCollectionsList()
            .stream()
            .map(CollectionDescription::getName)
            .sorted()
            .toList();
    List<CollectionInfo> infos = new ArrayList<>();
    for (String name : names) {
      // Somebody may have deleted it since it was listed.
      Connection.ifThere(() -> collection(name, scope).map(VectorCollection::info))
          .ifPresent(infos::add);
    }
    return infos;
  }

  @Override
  public Optional<VectorCollection> collection(String name, Scope scope) {
    return descriptions.find(name).map(_ -> view(name, scope));
  }

  @Override
  public Optional<RemoteCollection> collection(String name, Scope scope, Set<String> hidden) {
    return descriptions.find(name).map(_ -> view(name, scope, hidden));
  }

  private QdrantCollection view(String name, Scope scope) {
    return view(name, scope, Set.of());
  }

  private QdrantCollection view(String name, Scope scope, Set<String> hidden) {
    return new QdrantCollection(connection, descriptions, this::embedder, name, scope, hidden);
  }

  /** Points come in the order of their ids' bytes, which is that of the text. */
  @Override
  public Comparator<String> pageOrder(String collection) {
    return Comparator.comparing(id -> PointIds.uuid(collection, id));
  }

  @Override
  public void noteModel(String collection, String model) {
    descriptions.find(collection).ifPresent(found -> descriptions.model(collection, found, model));
  }

  @Override
  public boolean create(String name, Map<String, String> metadata) {
    Checks.metadata(metadata, "collection");
    requireName(name);
    if (descriptions.create(name, Description.of(metadata, embedder.map(Embedder::dimension)))) {
      return true;
    }
    Map<String, String> present =
        descriptions.find(name).map(Description::metadata).orElse(Map.of());
    if (!present.equals(metadata)) {
      throw Checks.existsOtherwise(name);
    }
    return false;
  }

  @Override
  public Written upsert(String name, List<NewDocument> documents, Scope scope) {
    requireName(name);
    Batch batch = Batch.prepare(documents, scope, this::embedder);
    batch.requireDimension(0);
    requireHeld(documents);
    return view(name, scope).upsert(batch);
  }

  @Override
  public VectorCollection getOrCreate(String name, Scope scope) {
    requireName(name);
    descriptions.create(name, Description.of(Map.of(), embedder.map(Embedder::dimension)));
    return view(name, scope);
  }

  @Override
  public void delete(String name, Scope scope) {
    scope.requireAll();
    if (!descriptions.delete(name)) {
      throw Checks.notFound(name);
    }
  }

  @Override
  public Optional<String> refusal(String collection, List<NewDocument> documents) {
    try {
      requireName(collection);
      requireHeld(documents);
      return Optional.empty();
    } catch (StoreException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static void requireName(String name) {
    Checks.name(name);
    if (name.contains("/")) {
      throw Checks.invalid(
          "a collection on a Qdrant server has no / in its name: \"" + name + "\"");
    }
  }

  /** They would lie on top of the document's own. */
  static void requireHeld(List<NewDocument> documents) {
    for (NewDocument document : documents) {
      for (String key : List.of(Payloads.ID, Payloads.CONTENT)) {
        if (document.metadata().containsKey(key)) {
          throw Checks.invalid(
              "metadata named \"%s\" cannot be held beside a document's own %s on a Qdrant server; choose another name"
                  .formatted(key, key));
        }
      }
    }
  }

  @Override
  public Optional<Map<String, String>> metadata(String collection) {
    return descriptions.find(collection).map(Description::metadata);
  }

  @Override
  public void describe(String collection, Map<String, String> metadata) {
    Checks.metadata(metadata, "collection");
    descriptions.describe(collection, metadata);
  }

  @Override
  public Optional<String> owner(String collection) {
    return descriptions.find(collection).flatMap(Description::owner);
  }

  @Override
  public void claim(String collection, String owner) {
    descriptions.claim(collection, owner);
  }

  private Embedder embedder() {
    return Checks.embedder(embedder);
  }

  @Override
  public void close() {
    connection.close();
  }
}
