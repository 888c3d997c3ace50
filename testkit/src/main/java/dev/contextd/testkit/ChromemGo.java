package dev.contextd.testkit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The real chromem-go in a child process: the program in {@code interop/}, built with the Go that
 * is installed.
 *
 * @param program the built program
 */
public record ChromemGo(Path program) {
  private static final JsonFactory JSON = new JsonFactory();
  private static final String INSTALL =
      "install Go 1.21 or later from https://go.dev/dl/ and run: cd interop && go mod download";

  /** A document; metadata is null where Go has a nil map, vectors are the bits of their values. */
  public record Doc(@Nullable Map<String, String> metadata, List<Integer> bits, String content) {
    public Doc withoutNull() {
      return new Doc(metadataOrEmpty(), bits, content);
    }

    public Map<String, String> metadataOrEmpty() {
      return metadata == null ? Map.of() : metadata;
    }
  }

  /** A collection with its documents by id. */
  public record Coll(@Nullable Map<String, String> metadata, Map<String, Doc> documents) {
    public Coll withoutNull() {
      Map<String, Doc> all = new TreeMap<>();
      documents.forEach((id, document) -> all.put(id, document.withoutNull()));
      return new Coll(metadata == null ? Map.of() : metadata, all);
    }
  }

  /** A database with nil and empty maps taken for the same, as our API does. */
  public static Map<String, Coll> withoutNull(Map<String, Coll> database) {
    Map<String, Coll> all = new TreeMap<>();
    database.forEach((name, collection) -> all.put(name, collection.withoutNull()));
    return all;
  }

  /** Builds the program; empty, with a line that says why, where there is no Go or no module. */
  public static Optional<ChromemGo> build() throws Exception {
    Optional<Path> go = go();
    if (go.isEmpty()) {
      return notRun("there is no go on PATH or in /usr/local/go/bin");
    }
    Path source = Fixtures.project().resolve("interop");
    Outcome modules = run(source, "", List.of(go.get().toString(), "mod", "download"));
    if (modules.code() != 0) {
      return notRun("its Go module cannot be downloaded: " + modules.error().strip());
    }
    Path program = Path.of("target", "interop").toAbsolutePath();
    Outcome built =
        run(source, "", List.of(go.get().toString(), "build", "-o", program.toString(), "."));
    if (built.code() != 0) {
      throw new AssertionError("interop/ does not compile:\n" + built.error());
    }
    return Optional.of(new ChromemGo(program));
  }

  private static Optional<ChromemGo> notRun(String why) {
    String message = "chromem-go interop: NOT RUN, " + why + "; " + INSTALL;
    if ("true".equals(System.getenv("CI"))) {
      throw new AssertionError(message);
    }
    System.out.println(message);
    return Optional.empty();
  }

  private static Optional<Path> go() {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(Stream.of(path.split(File.pathSeparator)), Stream.of("/usr/local/go/bin"))
        .map(folder -> Path.of(folder, "go"))
        .filter(Files::isExecutable)
        .filter(Files::isRegularFile)
        .findFirst();
  }

  public Map<String, Coll> dump(Path root, boolean compress) throws Exception {
    return database(call("", "dump", root.toString(), kind(compress)));
  }

  public Map<String, Coll> dumpExport(Path file, Optional<String> key) throws Exception {
    return database(call("", "dump-export", file.toString(), key.orElse("")));
  }

  public void write(Path root, boolean compress, Map<String, Coll> database) throws Exception {
    call(json(database), "write", root.toString(), kind(compress));
  }

  /** Deletes documents, or with no ids the collection. */
  public void delete(Path root, boolean compress, String collection, List<String> ids)
      throws Exception {
    String request =
        text(json -> {
          json.writeStringField("collection", collection);
          json.writeArrayFieldStart("ids");
          for (String id : ids) {
            json.writeString(id);
          }
          json.writeEndArray();
        });
    call(request, "delete", root.toString(), kind(compress));
  }

  /**
   * Deletes a collection and writes a document, {@code late}, through the handle that was held
   * before; returns what each step came to.
   *
   * @param isElsewhere whether another database over the folder deletes it, as a second process has
   */
  public String writeThroughKeptHandle(Path root, String collection, boolean isElsewhere)
      throws Exception {
    String request = text(json -> json.writeStringField("collection", collection));
    return isElsewhere
        ? call(request, "handle", root.toString(), kind(false), "elsewhere")
        : call(request, "handle", root.toString(), kind(false));
  }

  public void export(Path root, boolean compress, Path file, boolean zipped, Optional<String> key)
      throws Exception {
    String target = file.toString();
    call("", "export", root.toString(), kind(compress), target, kind(zipped), key.orElse(""));
  }

  /** The ids of the nearest documents, best first, each with its score. */
  public List<Map.Entry<String, Float>> query(
      Path root, String collection, float[] vector, int limit, Map<String, String> where)
      throws Exception {
    String request =
        text(json -> {
          json.writeStringField("collection", collection);
          writeBits(json, bits(vector));
          json.writeNumberField("limit", limit);
          writeStrings(json, "where", where);
        });
    List<Map.Entry<String, Float>> hits = new ArrayList<>();
    for (Object hit : list(parse(call(request, "query", root.toString(), kind(false))))) {
      Map<?, ?> fields = (Map<?, ?>) hit;
      int similarity = Integer.parseUnsignedInt(String.valueOf(fields.get("similarity")));
      hits.add(Map.entry(String.valueOf(fields.get("id")), Float.intBitsToFloat(similarity)));
    }
    return hits;
  }

  public static List<Integer> bits(float[] values) {
    List<Integer> bits = new ArrayList<>();
    for (float value : values) {
      bits.add(Float.floatToRawIntBits(value));
    }
    return bits;
  }

  private static String kind(boolean compress) {
    return compress ? "gzip" : "plain";
  }

  private String call(String input, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    Outcome outcome = run(Path.of(""), input, command);
    if (outcome.code() != 0) {
      throw new AssertionError("chromem-go: " + command + ": " + outcome.error());
    }
    return outcome.output();
  }

  private record Outcome(int code, String output, String error) {}

  private static Outcome run(Path folder, String input, List<String> command) throws Exception {
    Path error = Files.createTempFile("interop-", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(folder.toAbsolutePath().toFile())
              .redirectError(error.toFile())
              .start();
      try (var stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Outcome(process.waitFor(), output, Files.readString(error));
    } finally {
      Files.delete(error);
    }
  }

  /** Writes the fields of an object. */
  @FunctionalInterface
  private interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  private static String text(Body body) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      body.write(json);
      json.writeEndObject();
    }
    return text.toString();
  }

  private static String json(Map<String, Coll> database) throws IOException {
    return text(json -> {
      json.writeArrayFieldStart("collections");
      for (var collection : database.entrySet()) {
        json.writeStartObject();
        json.writeStringField("name", collection.getKey());
        writeStrings(json, "metadata", collection.getValue().metadata());
        json.writeArrayFieldStart("documents");
        for (var document : collection.getValue().documents().entrySet()) {
          json.writeStartObject();
          json.writeStringField("id", document.getKey());
          writeStrings(json, "metadata", document.getValue().metadata());
          writeBits(json, document.getValue().bits());
          json.writeStringField("content", document.getValue().content());
          json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
    });
  }

  private static void writeStrings(
      JsonGenerator json, String name, @Nullable Map<String, String> strings) throws IOException {
    if (strings == null) {
      json.writeNullField(name);
      return;
    }
    json.writeObjectFieldStart(name);
    for (var entry : strings.entrySet()) {
      json.writeStringField(entry.getKey(), entry.getValue());
    }
    json.writeEndObject();
  }

  private static void writeBits(JsonGenerator json, List<Integer> bits) throws IOException {
    json.writeArrayFieldStart("embedding");
    for (int value : bits) {
      json.writeNumber(Integer.toUnsignedLong(value));
    }
    json.writeEndArray();
  }

  private static Map<String, Coll> database(String json) throws IOException {
    Map<String, Coll> database = new TreeMap<>();
    for (Object found : list(((Map<?, ?>) parse(json)).get("collections"))) {
      Map<?, ?> collection = (Map<?, ?>) found;
      Map<String, Doc> documents = new TreeMap<>();
      for (Object entry : list(collection.get("documents"))) {
        Map<?, ?> document = (Map<?, ?>) entry;
        List<Integer> bits =
            list(document.get("embedding")).stream().map(bit -> ((Long) bit).intValue()).toList();
        documents.put(
            String.valueOf(document.get("id")),
            new Doc(
                strings(document.get("metadata")), bits, String.valueOf(document.get("content"))));
      }
      database.put(
          String.valueOf(collection.get("name")),
          new Coll(strings(collection.get("metadata")), documents));
    }
    return database;
  }

  private static List<?> list(@Nullable Object value) {
    return value == null ? List.of() : (List<?>) value;
  }

  private static @Nullable Map<String, String> strings(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    Map<String, String> strings = new TreeMap<>();
    ((Map<?, ?>) value).forEach((key, text) -> strings.put((String) key, (String) text));
    return strings;
  }

  private static Object parse(String json) throws IOException {
    try (JsonParser parser = JSON.createParser(json)) {
      parser.nextToken();
      Object value = value(parser);
      return value == null ? Map.of() : value;
    }
  }

  private static @Nullable Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> fields = new TreeMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          fields.put(name, value(parser));
        }
        yield fields;
      }
      case START_ARRAY -> {
        List<@Nullable Object> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          values.add(value(parser));
        }
        yield values;
      }
      case VALUE_NUMBER_INT -> parser.getLongValue();
      case VALUE_NULL -> null;
      default -> parser.getText();
    };
  }
}
