package dev.contextd.storage.fuzz;

import dev.contextd.storage.FixtureData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the fuzzers begin with: files of the real chromem-go, and ours. */
final class Seeds {
  /** A fuzzer cuts what is longer. */
  private static final int MAX_BYTES = 4_096;

  private Seeds() {}

  static List<byte[]> gob(boolean isMetadata) throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    for (String kind : List.of("plain", "gzip")) {
      for (Path file : FixtureData.files(kind)) {
        boolean isMetadataFile = String.valueOf(file.getFileName()).startsWith("00000000");
        if (isMetadataFile == isMetadata && Files.size(file) <= MAX_BYTES && seeds.size() < 40) {
          seeds.add(Files.readAllBytes(file));
        }
      }
    }
    return seeds;
  }
}
