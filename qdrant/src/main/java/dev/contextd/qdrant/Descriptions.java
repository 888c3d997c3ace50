package dev.contextd.qdrant;

import dev.contextd.engine.Checks;
import dev.contextd.engine.StoreException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.qdrant.client.grpc.Collections.CollectionInfo;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.DeleteCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.GetCollectionInfoRequest;
import io.qdrant.client.grpc.Collections.UpdateCollection;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.Points.CreateFieldIndexCollection;
import io.qdrant.client.grpc.Points.FieldType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The collections of a server: created, described, deleted. */
final class Descriptions {
  /** What tenants are told apart by; every collection is indexed by them. */
  private static final List<String> TENANT_FIELDS = List.of("tenant_id", "team_id", "project_id");

  /** Each index costs memory on the server. */
  private static final int MAX_INDEXES = 32;

  private final Connection connection;
  private final int vectorSize;

  /** Fields of which an index was asked for, as {@code collection/field}. */
  private final Set<String> indexed = ConcurrentHashMap.newKeySet();

  /**
   * @param vectorSize of a collection whose dimension nothing tells yet
   */
  Descriptions(Connection connection, int vectorSize) {
    this.connection = connection;
    this.vectorSize = vectorSize;
  }

  Optional<Description> find(String name) {
    return Connection.ifThere(() -> Optional.of(get(name)));
  }

  private Description get(String name) {
    CollectionInfo info =
        connection
            .call(
                "asking for the collection \"" + name + "\"",
                () ->
                    connection
                        .collections()
                        .get(GetCollectionInfoRequest.newBuilder().setCollectionName(name).build()))
            .getResult();
    int dimension = (int) info.getConfig().getParams().getVectorsConfig().getParams().getSize();
    return Description.decode(info.getConfig().getMetadataMap(), dimension);
  }

  Description require(String name) {
    return find(name).orElseThrow(() -> Checks.notFound(name));
  }

  /** Creates a collection; returns whether there was none of that name. */
  boolean create(String name, Description description) {
    int size = description.dimension() == 0 ? vectorSize : description.dimension();
    CreateCollection request =
        CreateCollection.newBuilder()
            .setCollectionName(name)
            .setVectorsConfig(
                VectorsConfig.newBuilder()
                    .setParams(
                        VectorParams.newBuilder().setSize(size).setDistance(Distance.Cosine)))
            .putAllMetadata(description.encode())
            .build();
    boolean isNew =
        connection.call(
            "creating the collection \"" + name + "\"",
            () -> {
              try {
                connection.collections().create(request);
                return true;
              } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() == Status.Code.ALREADY_EXISTS) {
                  return false;
                }
                throw e;
              }
            });
    if (isNew) {
      indexed.removeIf(entry -> entry.startsWith(name + "/"));
      TENANT_FIELDS.forEach(field -> index(name, field, true));
    }
    return isNew;
  }

  /** Deletes a collection; returns whether it was there. */
  boolean delete(String name) {
    boolean wasThere = find(name).isPresent();
    connection.call(
        "deleting the collection \"" + name + "\"",
        () ->
            connection
                .collections()
                .delete(DeleteCollection.newBuilder().setCollectionName(name).build()));
    return wasThere;
  }

  /** Fields that somebody filters by are indexed, once, and not waited for. */
  void index(String collection, List<String> fields) {
    fields.forEach(field -> index(collection, field, false));
  }

  private void index(String collection, String field, boolean isAwaited) {
    String entry = collection + "/" + field;
    long present = indexed.stream().filter(one -> one.startsWith(collection + "/")).count();
    if (!Conditions.isPlain(field) || present >= MAX_INDEXES || !indexed.add(entry)) {
      return;
    }
    try {
      connection.call(
          "indexing \"" + field + "\"",
          () ->
              connection
                  .points()
                  .createFieldIndex(
                      CreateFieldIndexCollection.newBuilder()
                          .setCollectionName(collection)
                          .setFieldName(field)
                          .setFieldType(FieldType.FieldTypeKeyword)
                          .setWait(isAwaited)
                          .build()));
    } catch (StoreException e) {
      indexed.remove(entry); // A filter finds the same without it, more slowly.
    }
  }

  void describe(String name, Map<String, String> metadata) {
    find(name).ifPresent(found -> update(name, found.withMetadata(metadata)));
  }

  void claim(String name, String owner) {
    find(name).ifPresent(found -> update(name, found.withOwner(owner)));
  }

  void model(String name, Description found, String model) {
    if (found.model().isEmpty()) {
      update(name, found.withModel(model));
    }
  }

  private void update(String name, Description description) {
    connection.call(
        "describing the collection \"" + name + "\"",
        () ->
            connection
                .collections()
                .update(
                    UpdateCollection.newBuilder()
                        .setCollectionName(name)
                        .putAllMetadata(description.encode())
                        .build()));
  }
}
