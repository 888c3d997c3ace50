package dev.contextd.server;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The version of this program, as the build wrote it. */
public final class Version {
  public static final String CURRENT = read();

  private Version() {}

  private static String read() {
    Properties properties = new Properties();
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException e) {
      // A program that cannot read its own files says so below.
    }
    return properties.getProperty("version", "unknown");
  }
}
