package dev.contextd.storage.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** A collection's metadata file. */
class MetadataFuzz {
  static List<byte[]> seeds() throws IOException {
    return Seeds.gob(true);
  }

  @MethodSource("seeds")
  @FuzzTest
  void whatIsReadCanBeWrittenAndReadAgain(byte[] file) throws FormatException {
    StoredCollection read;
    try {
      read = MetadataFormat.decode(file).value();
    } catch (FormatException e) {
      return;
    }
    byte[] written = MetadataFormat.encode(read, Compression.PLAIN);
    if (!MetadataFormat.decode(written).value().name().equals(read.name())) {
      throw new AssertionError("another name came back");
    }
  }
}
