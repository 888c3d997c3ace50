package dev.contextd.storage.pack;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.disk.FilesInMemory;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.provider.MethodSource;

/** The manifest; its checksum is made right, so that the fuzzer comes behind it. */
class ManifestFuzz {
  private static final Path DIRECTORY = Path.of("own");

  static List<byte[]> seeds() throws IOException {
    Path folder = Files.createTempDirectory("manifest-seeds");
    ManifestTest.manifest(7).write(new LocalDisk(), folder);
    byte[] manifest = Files.readAllBytes(folder.resolve(Manifest.FILE));
    Files.delete(folder.resolve(Manifest.FILE));
    Files.delete(folder.resolve(Manifest.COPY));
    Files.delete(folder);
    return List.of(manifest);
  }

  @MethodSource("seeds")
  @FuzzTest
  void aManifestIsReadOrLost(byte[] manifest) throws IOException {
    byte[] mended = manifest.clone();
    int body = mended.length - Integer.BYTES;
    if (body >= 0) {
      ByteBuffer bytes = ByteBuffer.wrap(mended).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putInt(body, Crc32c.of(bytes.duplicate().limit(body)));
    }
    for (byte[] file : List.of(manifest, mended)) {
      Manifest.read(new FilesInMemory(DIRECTORY, Map.of(Manifest.FILE, file)), DIRECTORY);
    }
  }
}
