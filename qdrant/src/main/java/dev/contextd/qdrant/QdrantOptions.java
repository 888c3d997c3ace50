package dev.contextd.qdrant;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Where a Qdrant server is, and how it is called.
 *
 * @param tls whether the connection is encrypted
 * @param caFile certificates, PEM, that sign the server's own; empty for those of the system
 * @param apiKey never printed; empty where the server asks for none
 * @param timeout of one call
 * @param maxMessageBytes the largest answer that is taken, and about the largest request
 * @param vectorSize of a collection that is created before its first document
 */
public record QdrantOptions(
    String host,
    int port,
    boolean tls,
    Optional<Path> caFile,
    Optional<String> apiKey,
    Duration timeout,
    int maxMessageBytes,
    int vectorSize) {

  /** A server of this machine, as it is installed. */
  public static QdrantOptions at(String host, int port) {
    return new QdrantOptions(
        host,
        port,
        false,
        Optional.empty(),
        Optional.empty(),
        Duration.ofSeconds(30),
        64 << 20,
        384);
  }

  public QdrantOptions withApiKey(Optional<String> key) {
    return new QdrantOptions(host, port, tls, caFile, key, timeout, maxMessageBytes, vectorSize);
  }

  public QdrantOptions withTimeout(Duration newTimeout) {
    return new QdrantOptions(
        host, port, tls, caFile, apiKey, newTimeout, maxMessageBytes, vectorSize);
  }

  @Override
  public String toString() {
    return "%s:%d%s".formatted(host, port, tls ? " (TLS)" : "");
  }
}
