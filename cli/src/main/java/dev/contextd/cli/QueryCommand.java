package dev.contextd.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "query",
    description = "Finds the documents of a collection that are nearest to a text.",
    footer = {"", "Example:", "  ctxd query contextd_memories \"how do we deploy?\" --limit 3"})
final class QueryCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_SHOWN = 100;

  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Parameters(index = "0", paramLabel = "COLLECTION", description = "The collection's name.")
  private String collection = "";

  @Parameters(index = "1", paramLabel = "TEXT", description = "What is looked for.")
  private String text = "";

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "5",
      description = "How many documents at most (${DEFAULT-VALUE}).")
  private int limit;

  @Option(
      names = "--where",
      paramLabel = "JSON",
      description = "A filter on metadata, such as '{\"lang\": \"go\"}'.")
  private @Nullable String where;

  @Override
  public Integer call() {
    Map<String, Object> body = new HashMap<>(Map.of("text", text, "limit", limit));
    if (where != null) {
      try {
        body.put("where", JSON.readTree(where));
      } catch (JsonProcessingException e) {
        throw new CliException("--where is no JSON: " + e.getOriginalMessage());
      }
    }
    return ctxd.look(target -> {
      String path = "/api/v1/collections/" + Calls.encoded(collection) + "/query";
      JsonNode answer = target.calls().post(path, body);
      if (!ctxd.isPrintedAsJson(answer)) {
        print(answer);
      }
      return Ctxd.FINE;
    });
  }

  private void print(JsonNode answer) {
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode hit : answer.path("results")) {
      String content = hit.path("content").asText().strip().replaceAll("\\s+", " ");
      rows.add(
          List.of(
              "%.4f".formatted(hit.path("score").asDouble()),
              hit.path("id").asText(),
              content.length() > MAX_SHOWN ? content.substring(0, MAX_SHOWN) + "..." : content));
    }
    ctxd.screen.table(List.of("SCORE", "ID", "CONTENT"), rows);
    JsonNode coverage = answer.path("coverage");
    ctxd.screen.line(
        "%d documents searched, %s unavailable"
            .formatted(
                coverage.path("searched").asLong(),
                coverage.path("unavailable").isNull()
                    ? "an unknown number"
                    : coverage.path("unavailable").asText()));
  }
}
