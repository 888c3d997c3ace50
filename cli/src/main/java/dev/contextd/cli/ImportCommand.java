package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "import",
    description = {
      "Adds or replaces everything in a file that contextd or chromem-go exported.",
      "What is refused is named, and does not hinder the rest."
    },
    footer = {"", "Example:", "  ctxd import memories.gob.gz"})
final class ImportCommand implements Callable<Integer> {
  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Parameters(paramLabel = "FILE", description = "An export, compressed or not.")
  private Path file = Path.of("");

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description = "The key of 32 bytes, for an encrypted export.")
  private @Nullable Path keyFile;

  @Override
  public Integer call() {
    Optional<byte[]> key = Calls.key(keyFile);
    return ctxd.change(
        "adds what is in " + file + "; documents of the same ids are replaced",
        target -> {
          JsonNode done = target.calls().send("/api/v1/admin/import", file, key);
          if (!ctxd.isPrintedAsJson(done)) {
            ctxd.screen.line(
                "%d documents of %d collections"
                    .formatted(done.path("documents").asInt(), done.path("collections").asInt()));
            done.path("refused").forEach(one -> ctxd.screen.line("refused: " + one.asText()));
          }
          return done.path("refused").isEmpty() ? Ctxd.FINE : Ctxd.DAMAGE;
        });
  }
}
