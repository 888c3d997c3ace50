package dev.contextd.storage.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.storage.FixtureData;
import dev.contextd.storage.chromem.ExportFormat;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** A whole database in one file. */
class ExportFuzz {
  static List<byte[]> seeds() throws IOException {
    byte[] plain = FixtureData.bytes("export.gob");
    return List.of(Arrays.copyOf(plain, Math.min(plain.length, 4_096)));
  }

  @MethodSource("seeds")
  @FuzzTest
  void anExportIsReadOrRefused(byte[] file) {
    try {
      ExportFormat.decode(file, null);
    } catch (FormatException e) {
      // Refused.
    }
  }
}
