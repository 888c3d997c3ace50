package dev.contextd.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "export",
    description = "Writes everything to one file that chromem-go can import.",
    footer = {"", "Example:", "  ctxd export memories.gob.gz --gzip"})
final class ExportCommand implements Callable<Integer> {
  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Parameters(paramLabel = "FILE", description = "A file that is not there yet.")
  private Path file = Path.of("");

  @Option(names = "--gzip", description = "Compress it.")
  private boolean gzip;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description = "Encrypt it with this key of 32 bytes (AES-256-GCM).")
  private @Nullable Path keyFile;

  @Override
  public Integer call() {
    Optional<byte[]> key = Calls.key(keyFile);
    if (Files.exists(file)) {
      throw new CliException(file + " exists; choose another file");
    }
    return ctxd.look(target -> {
      byte[] content = target.calls().bytes("/api/v1/admin/export?gzip=" + gzip, key);
      write(content);
      ctxd.screen.line("%s: %d bytes".formatted(file, content.length));
      return Ctxd.FINE;
    });
  }

  /** For its owner alone, as everything of the store is. */
  private void write(byte[] content) {
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (OutputStream out = Files.newOutputStream(file)) {
        out.write(content);
      }
    } catch (FileAlreadyExistsException e) {
      throw new CliException(file + " exists; choose another file");
    } catch (IOException e) {
      throw new CliException(file + " cannot be written: " + e);
    }
  }
}
