package dev.contextd.storage.chromem;

import dev.contextd.storage.gob.FormatException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * The two kinds of files chromem-go writes: {@code .gob} and, in a database opened with
 * compression, {@code .gob.gz}. What a file really holds is told by its first two bytes, never by
 * its name.
 */
public enum Compression {
  PLAIN(".gob"),
  GZIP(".gob.gz");

  /** A file may always inflate to this many bytes. */
  static final long MAX_INFLATED_BYTES = 64L << 20;

  /** Above {@link #MAX_INFLATED_BYTES} a file may inflate to this multiple of its size. */
  static final long MAX_INFLATED_RATIO = 32;

  private static final int BUFFER_BYTES = 8 << 10;

  private final String extension;

  Compression(String extension) {
    this.extension = extension;
  }

  public String extension() {
    return extension;
  }

  /** The kind that a file's name claims; empty for a name chromem-go does not read. */
  public static Optional<Compression> ofFileName(String name) {
    if (name.endsWith(GZIP.extension)) {
      return Optional.of(GZIP);
    }
    return name.endsWith(PLAIN.extension) ? Optional.of(PLAIN) : Optional.empty();
  }

  /** The name without this kind's extension. */
  public String stem(String fileName) {
    return fileName.substring(0, fileName.length() - extension.length());
  }

  byte[] compress(byte[] plain) {
    if (this == PLAIN) {
      return plain;
    }
    var out = new ByteArrayOutputStream(plain.length / 2 + BUFFER_BYTES);
    try (var gzip = new GZIPOutputStream(out, BUFFER_BYTES)) {
      gzip.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory does not fail", e);
    }
    return out.toByteArray();
  }

  /**
   * Inflates what begins with gzip's magic and returns everything else as it is.
   *
   * @throws FormatException where the gzip stream is damaged, or inflates beyond {@value
   *     #MAX_INFLATED_BYTES} bytes and {@value #MAX_INFLATED_RATIO} times its size
   */
  static byte[] inflate(byte[] file) throws FormatException {
    if (file.length < 2 || (file[0] & 0xff) != 0x1f || (file[1] & 0xff) != 0x8b) {
      return file;
    }
    long most = Math.max(MAX_INFLATED_BYTES, file.length * MAX_INFLATED_RATIO);
    byte[] buffer =
        new byte[Math.max(BUFFER_BYTES, file.length * 2 < 0 ? file.length : file.length * 2)];
    int length = 0;
    try (var gzip = new GZIPInputStream(new ByteArrayInputStream(file), BUFFER_BYTES)) {
      while (true) {
        if (length == buffer.length) {
          if (length >= most || length > Integer.MAX_VALUE / 2) {
            throw new FormatException(
                "a gzip file of " + file.length + " bytes inflates beyond " + most + " bytes");
          }
          buffer = Arrays.copyOf(buffer, (int) Math.min((long) length * 2, most));
        }
        int read = gzip.read(buffer, length, buffer.length - length);
        if (read < 0) {
          return Arrays.copyOf(buffer, length);
        }
        length += read;
      }
    } catch (IOException e) {
      throw new FormatException("the gzip stream is damaged: " + e.getMessage(), e);
    }
  }
}
