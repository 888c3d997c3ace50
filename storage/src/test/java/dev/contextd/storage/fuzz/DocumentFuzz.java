package dev.contextd.storage.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** A document's gob file. */
class DocumentFuzz {
  static List<byte[]> seeds() throws IOException {
    return Seeds.gob(false);
  }

  @MethodSource("seeds")
  @FuzzTest
  void whatIsReadCanBeWrittenAndReadAgain(byte[] file) throws FormatException {
    StoredDocument read;
    try {
      read = DocumentFormat.decode(file).value();
    } catch (FormatException e) {
      return;
    }
    if (!read.id().isEmpty()) {
      byte[] written = DocumentFormat.encode(read, Compression.PLAIN);
      if (!DocumentFormat.decode(written).value().content().equals(read.content())) {
        throw new AssertionError("another content came back");
      }
    }
  }
}
