package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "quarantine",
    description = "What was set aside because it is damaged, and its way back.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  ctxd metadata quarantine list"})
final class QuarantineCommand implements Runnable {
  private static final String QUARANTINE = "/api/v1/admin/quarantine";

  @ParentCommand private MetadataCommand metadata = new MetadataCommand();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private Ctxd ctxd() {
    return metadata.ctxd;
  }

  @Command(
      name = "list",
      description = "Lists what lies in quarantine, why, and what can be read of it.",
      footer = {"", "Example:", "  ctxd metadata quarantine list"})
  int list() {
    return ctxd()
        .look(target -> {
          JsonNode answer = target.calls().get(QUARANTINE);
          if (!ctxd().isPrintedAsJson(answer)) {
            print(answer.path("entries"));
          }
          return Ctxd.FINE;
        });
  }

  private void print(JsonNode entries) {
    if (entries.isEmpty()) {
      ctxd().screen.line("nothing lies in quarantine");
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    List<List<String>> notes = new ArrayList<>();
    for (JsonNode one : entries) {
      String readable = one.path("readable").isNull() ? "?" : one.path("readable").asText();
      String documents = one.path("documents").isNull() ? "?" : one.path("documents").asText();
      rows.add(
          List.of(
              one.path("entry").asText(),
              Screen.seconds(one.path("since").asText()),
              one.path("collection").isNull() ? "?" : one.path("collection").asText(),
              readable + " of " + documents));
      notes.add(List.of(one.path("why").asText(), one.path("next").asText()));
    }
    ctxd().screen.table(List.of("ENTRY", "SINCE", "COLLECTION", "READABLE"), rows, notes);
  }

  @Command(
      name = "restore",
      description = {
        "Brings back what can be read of an entry, or of everything that came from a folder.",
        "Of two versions of a document the newer is served; the other one goes to the trash."
      },
      footer = {"", "Example:", "  ctxd metadata quarantine restore e9f85bf6"})
  int restore(
      @Parameters(paramLabel = "ENTRY", description = "An entry, or a folder's hash.") String entry,
      @Option(
              names = "--name",
              paramLabel = "NAME",
              description = "The collection's name, where it is not known.")
          @Nullable String name,
      @Option(
              names = "--keep-both",
              description = "Of two versions serve the other one too, as <id>.other.")
          boolean keepBoth) {
    return ctxd()
        .change(
            "serves what can be read of " + entry + " again; the rest stays",
            target -> {
              Map<String, Object> body =
                  new HashMap<>(Map.of("entry", entry, "keep_both", keepBoth));
              if (name != null) {
                body.put("name", name);
              }
              JsonNode answer = target.calls().post(QUARANTINE + "/restore", body);
              if (!ctxd().isPrintedAsJson(answer)) {
                answer.path("restored").forEach(one -> ctxd().screen.line(sentence(one)));
              }
              return Ctxd.FINE;
            });
  }

  static String sentence(JsonNode one) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s: %d documents are back in \"%s\""
            .formatted(
                one.path("entry").asText(),
                one.path("added").asInt() + one.path("replaced").asInt(),
                one.path("collection").asText()));
    if (one.path("replaced").asInt() > 0) {
      text.append(", %d of them in place of older ones".formatted(one.path("replaced").asInt()));
    }
    if (one.path("older").asInt() > 0) {
      text.append("; of %d a newer version was there".formatted(one.path("older").asInt()));
    }
    List<String> left = new ArrayList<>();
    one.path("left").forEach(entry -> left.add(entry.asText()));
    if (!left.isEmpty()) {
      text.append("; not readable, and still there: ").append(String.join(", ", left));
    }
    return text.toString();
  }

  @Command(
      name = "discard",
      description =
          "Lets an entry go, or everything that came from a folder: to the trash, which keeps it for"
              + " its time.",
      footer = {"", "Example:", "  ctxd metadata quarantine discard e9f85bf6.3af7a34d --yes"})
  int discard(
      @Parameters(paramLabel = "ENTRY", description = "An entry, or a folder's hash.") String entry,
      @Option(names = "--yes", description = "Do not ask.") boolean yes) {
    Screen.confirm(
        "Discard \"%s\"? It goes to the trash, and is not served any more.".formatted(entry), yes);
    return ctxd()
        .change(
            "moves " + entry + " to the trash",
            target -> {
              JsonNode answer =
                  target.calls().post(QUARANTINE + "/discard", Map.of("entry", entry));
              if (!ctxd().isPrintedAsJson(answer)) {
                answer
                    .path("discarded")
                    .forEach(one -> ctxd().screen.line(one.asText() + " is in the trash"));
              }
              return Ctxd.FINE;
            });
  }
}
