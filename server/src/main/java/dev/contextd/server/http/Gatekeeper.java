package dev.contextd.server.http;

import io.javalin.http.Context;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who may call at all: on loopback the {@code Host} must be this machine's own, so that no foreign
 * name can be pointed here; a browser's {@code Origin} must be this server's; and where a token is
 * configured every call bears it.
 */
final class Gatekeeper {
  private static final Set<String> OWN_HOSTS = Set.of("localhost", "127.0.0.1", "[::1]");
  private static final String BEARER = "bearer ";

  private final Set<String> ownHosts;
  private final boolean loopback;
  private final Optional<byte[]> token;

  /**
   * @param host the daemon listens on
   */
  Gatekeeper(String host, boolean loopback, Optional<String> token) {
    String own = host.toLowerCase(Locale.ROOT);
    this.ownHosts = new TreeSet<>(OWN_HOSTS);
    ownHosts.add(own.contains(":") ? "[" + own + "]" : own);
    this.loopback = loopback;
    this.token = token.map(Gatekeeper::digest);
  }

  void check(Context call) {
    requireUtf8(String.valueOf(call.req().getRequestURI()));
    String host = host(call.header("Host"));
    if (loopback && !ownHosts.contains(host)) {
      throw new ProblemException(
          ProblemCode.MISDIRECTED_HOST, "this daemon serves localhost only, not \"" + host + "\"");
    }
    checkOrigin(call, host);
    if (token.isPresent() && !isAuthenticated(call)) {
      call.header("WWW-Authenticate", "Bearer");
      throw new ProblemException(
          ProblemCode.UNAUTHORIZED, "the Authorization header does not bear the daemon's token");
    }
  }

  /**
   * Refuses a caller who is neither on this machine nor bears the token, which {@link #check} asked
   * for where there is one. Only the connection's own peer counts: headers name whom they like.
   */
  void requireOperator(Context call) {
    String peer = String.valueOf(call.req().getRemoteAddr());
    if (token.isEmpty() && !isLoopback(peer)) {
      throw new ProblemException(
          ProblemCode.OPERATOR_ONLY,
          "the caller " + peer + " is on another machine and bears no token");
    }
  }

  /** Whether an address is this machine's; what is no address is not. */
  static boolean isLoopback(String peer) {
    boolean isBracketed = peer.startsWith("[") && peer.endsWith("]");
    try {
      return InetAddress.ofLiteral(isBracketed ? peer.substring(1, peer.length() - 1) : peer)
          .isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Whether a Host header names this machine. */
  boolean owns(String header) {
    return ownHosts.contains(host(header));
  }

  /** An id with bytes that are not UTF-8 would be read as another id. */
  private static void requireUtf8(String rawPath) {
    try {
      PercentEncoding.requireUtf8(rawPath);
    } catch (IllegalArgumentException e) {
      throw new ProblemException(ProblemCode.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  /** A page of this very server may call, any other page may not. */
  private void checkOrigin(Context call, String host) {
    String origin = call.header("Origin");
    if (origin == null) {
      return;
    }
    String from = "";
    int port = -1;
    try {
      URI uri = URI.create(origin);
      from = uri.getHost() == null ? "" : uri.getHost().toLowerCase(Locale.ROOT);
      port = uri.getPort();
    } catch (IllegalArgumentException e) {
      // "null" and its like name no origin of ours.
    }
    boolean own = from.equals(host) || (loopback && ownHosts.contains(from));
    if (from.isEmpty() || !own || port != portOf(call.header("Host"))) {
      throw new ProblemException(
          ProblemCode.FOREIGN_ORIGIN, "the Origin \"" + origin + "\" is not this server's");
    }
  }

  /** Digests are compared, so that the time tells neither the token's letters nor its length. */
  private boolean isAuthenticated(Context call) {
    String header = call.header("Authorization");
    boolean isBearer = header != null && header.toLowerCase(Locale.ROOT).startsWith(BEARER);
    byte[] offered = digest(isBearer ? header.substring(BEARER.length()).strip() : "");
    return MessageDigest.isEqual(offered, token.orElseThrow());
  }

  private static byte[] digest(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The host of a Host header, in lower case, without the port. */
  private static String host(@Nullable String header) {
    if (header == null) {
      return "";
    }
    int colon = header.lastIndexOf(':');
    boolean hasPort = colon > header.lastIndexOf(']');
    return (hasPort ? header.substring(0, colon) : header).toLowerCase(Locale.ROOT);
  }

  private static int portOf(@Nullable String header) {
    if (header == null) {
      return -1;
    }
    int colon = header.lastIndexOf(':');
    if (colon <= header.lastIndexOf(']')) {
      return -1;
    }
    try {
      return Integer.parseInt(header.substring(colon + 1));
    } catch (NumberFormatException e) {
      return -2;
    }
  }
}
