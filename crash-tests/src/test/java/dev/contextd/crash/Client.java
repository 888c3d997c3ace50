package dev.contextd.crash;

import dev.contextd.crash.Api.Answer;
import dev.contextd.crash.Api.Call;
import dev.contextd.crash.Ledger.Part;
import dev.contextd.testkit.ChromemGo;
import dev.contextd.testkit.ChromemGo.Doc;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * One client of the daemon, which adds, replaces and deletes documents of its own: some in
 * collections shared with all clients, some in collections that it creates and deletes.
 *
 * <p>Invariant: its ids begin with its own prefix, and no two writes have the same content.
 */
final class Client {
  static final int DIMENSION = 8;
  static final List<String> SHARED = List.of("shared-0", "shared-1");

  /** Ids a client has in one collection; as many as the largest batch. */
  private static final int IDS = 60;

  private static final int GROUPS = 3;
  private static final int LONGEST_CONTENT = 3_000;

  private final int number;
  private final Random random;
  private final boolean needsRemote;
  private final Ledger ledger = new Ledger();
  private int version;
  private int acknowledged;

  /**
   * @param needsRemote whether a remote store holds the documents alone: while it is away calls may
   *     be refused, and nobody knows what a deletion finds
   */
  Client(int number, long seed, boolean needsRemote) {
    this.number = number;
    this.needsRemote = needsRemote;
    this.random = new Random(seed + number);
    SHARED.forEach(name -> {
      ledger.sent(name, Part.of(Map.of()));
      ledger.acknowledged();
    });
  }

  /** A write, what it makes of this client's part of a collection, and the answer it must get. */
  private record Write(Call call, String collection, Part after, int status, int deleted) {}

  String prefix() {
    return "c" + number + "-";
  }

  List<String> own() {
    return List.of("own-" + number + "-0", "own-" + number + "-1");
  }

  Ledger ledger() {
    return ledger;
  }

  /** How many writes were acknowledged in its whole life. */
  int acknowledged() {
    return acknowledged;
  }

  /** Writes and reads until the daemon is gone. */
  void run(Api api, Moment moment) {
    try {
      while (random.nextInt(8) == 0 ? read(api) : write(api, moment)) {}
    } catch (IOException e) {
      if (!moment.hasCome()) {
        throw new AssertionError(prefix() + " was cut off before anybody struck", e);
      }
    }
  }

  private boolean write(Api api, Moment moment) throws IOException {
    Write write = next();
    ledger.sent(write.collection(), write.after());
    moment.aboutToSend();
    Answer answer = api.send(write.call());
    if ((answer.code().equals("shutting_down") && moment.hasCome()) || isAway(answer)) {
      ledger.refused();
      return true; // It goes on until nobody listens any more.
    }
    boolean isExpected =
        answer.status() == write.status()
            && answer.body().path("deleted").asInt() == write.deleted();
    boolean isDeletion = write.deleted() > 0 || write.status() != 201;
    if (needsRemote && isDeletion && answer.status() / 100 == 2) {
      isExpected = true; // What is there is not known while the remote store is away.
    }
    if (!isExpected) {
      throw new AssertionError(write.call() + " gave " + answer + ", expected " + write);
    }
    ledger.acknowledged();
    acknowledged++;
    return true;
  }

  /** Reads its own writes. */
  private boolean read(Api api) throws IOException {
    String collection = any(SHARED);
    Call call = Call.post(Api.documents(collection) + "/get", Map.of("ids", ids(IDS)));
    Answer answer = api.send(call);
    if (answer.code().equals("shutting_down") || isAway(answer)) {
      return true;
    }
    Map<String, String> contents = new TreeMap<>();
    answer
        .body()
        .path("documents")
        .forEach(found -> contents.put(found.path("id").asText(), found.path("content").asText()));
    Map<String, String> expected = new TreeMap<>();
    ledger.part(collection).documents().forEach((id, doc) -> expected.put(id, doc.content()));
    if (!contents.equals(expected)) {
      throw new AssertionError(prefix() + " read " + contents + ", wrote " + expected);
    }
    return true;
  }

  private boolean isAway(Answer answer) {
    return needsRemote
        && (answer.code().equals("remote_unavailable") || answer.code().equals("remote_failed"));
  }

  private Write next() {
    boolean shared = random.nextInt(3) > 0;
    String collection = any(shared ? SHARED : own());
    Part before = ledger.part(collection);
    if (!before.exists()) {
      return random.nextBoolean() ? create(collection) : upsert(collection, before);
    }
    return switch (random.nextInt(12)) {
      case 0, 1 -> deleteOne(collection, before);
      case 2, 3 -> deleteMany(collection, before);
      case 4 -> deleteWhere(collection, before);
      case 5, 6 -> shared ? upsert(collection, before) : deleteCollection(collection);
      default -> upsert(collection, before);
    };
  }

  private Write create(String collection) {
    Call call = Call.post("/api/v1/collections", Map.of("name", collection));
    return new Write(call, collection, Part.of(Map.of()), 201, 0);
  }

  private Write deleteCollection(String collection) {
    Call call = Call.delete("/api/v1/collections/" + collection);
    return new Write(call, collection, Part.NONE, 204, 0);
  }

  private Write upsert(String collection, Part before) {
    version++;
    List<Map<String, ?>> sent = new ArrayList<>();
    Map<String, Doc> after = new TreeMap<>(before.documents());
    for (String id : ids(batchSize())) {
      float[] embedding = unitVector();
      Doc document = new Doc(metadata(), ChromemGo.bits(embedding), content(id));
      after.put(id, document);
      sent.add(
          Map.of(
              "id",
              id,
              "content",
              document.content(),
              "embedding",
              embedding,
              "metadata",
              document.metadataOrEmpty()));
    }
    Call call = Call.post(Api.documents(collection), Map.of("documents", sent));
    return new Write(call, collection, Part.of(after), 201, 0);
  }

  /** Often one, now and then all. */
  private int batchSize() {
    return switch (random.nextInt(8)) {
      case 0, 1, 2 -> 1;
      case 3, 4, 5 -> random.nextInt(2, 10);
      case 6 -> random.nextInt(10, IDS);
      default -> IDS;
    };
  }

  private Write deleteOne(String collection, Part before) {
    String id = ids(1).getFirst();
    Map<String, Doc> after = new TreeMap<>(before.documents());
    boolean isThere = after.remove(id) != null;
    Call call = Call.delete(Api.documents(collection) + "/" + id);
    return new Write(call, collection, Part.of(after), isThere ? 204 : 404, 0);
  }

  private Write deleteMany(String collection, Part before) {
    List<String> ids = ids(random.nextInt(1, 20));
    Map<String, Doc> after = new TreeMap<>(before.documents());
    after.keySet().removeAll(ids);
    Call call = Call.post(Api.documents(collection) + "/delete", Map.of("ids", ids));
    return deletion(call, collection, before, after);
  }

  private Write deleteWhere(String collection, Part before) {
    Map<String, String> where =
        Map.of("owner", prefix(), "group", Integer.toString(random.nextInt(GROUPS)));
    Map<String, Doc> after = new TreeMap<>(before.documents());
    after
        .values()
        .removeIf(document -> document.metadataOrEmpty().entrySet().containsAll(where.entrySet()));
    Call call = Call.post(Api.documents(collection) + "/delete", Map.of("where", where));
    return deletion(call, collection, before, after);
  }

  private static Write deletion(Call call, String collection, Part before, Map<String, Doc> after) {
    int deleted = before.documents().size() - after.size();
    return new Write(call, collection, Part.of(after), 200, deleted);
  }

  private String any(List<String> names) {
    return names.get(random.nextInt(names.size()));
  }

  /** So many of its ids, each once. */
  private List<String> ids(int count) {
    List<String> all =
        new ArrayList<>(IntStream.range(0, IDS).mapToObj(i -> prefix() + i).toList());
    Collections.shuffle(all, random);
    return all.subList(0, count);
  }

  private Map<String, String> metadata() {
    if (random.nextInt(5) == 0) {
      return Map.of();
    }
    Map<String, String> metadata = new TreeMap<>();
    metadata.put("owner", prefix());
    metadata.put("group", Integer.toString(random.nextInt(GROUPS)));
    return metadata;
  }

  /** The first line tells who wrote what when; the rest is weight. */
  private String content(String id) {
    String filler = "ä".repeat(random.nextInt(2) * random.nextInt(LONGEST_CONTENT));
    return "version " + version + " of " + id + "\n" + filler;
  }

  /** So close to unit length that it is stored bit for bit. */
  private float[] unitVector() {
    double[] vector = new double[DIMENSION];
    double square = 0;
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = random.nextGaussian();
      square += vector[i] * vector[i];
    }
    float[] unit = new float[DIMENSION];
    for (int i = 0; i < DIMENSION; i++) {
      unit[i] = (float) (vector[i] / Math.sqrt(square));
    }
    return unit;
  }
}
