package dev.contextd.embeddings;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;

/** Where vectors come from: the closed set of providers that embed text. */
public sealed interface EmbeddingSettings {

  /** More workers than this on one machine are a mistake in the settings. */
  int MAX_PARALLELISM = 1_024;

  /**
   * The model inside the program, {@link LocalOnnxEmbedder#MODEL}.
   *
   * @param parallelism texts embedded at the same time, 1 to {@value #MAX_PARALLELISM}; each keeps
   *     one core busy
   */
  record LocalModel(int parallelism) implements EmbeddingSettings {
    public LocalModel {
      if (parallelism < 1 || parallelism > MAX_PARALLELISM) {
        throw refused(
            "the local model's parallelism must be 1 to %d, found %d; leave it out to use all cores"
                .formatted(MAX_PARALLELISM, parallelism));
      }
    }

    /** The local model on all cores. */
    public static LocalModel onAllCores() {
      return new LocalModel(Math.min(MAX_PARALLELISM, Runtime.getRuntime().availableProcessors()));
    }
  }

  /**
   * An OpenAI-compatible endpoint: OpenAI, Ollama, TEI, vLLM and others.
   *
   * @param baseUrl http or https, with or without the final {@code /v1}; no query, no user name
   * @param model the model's name as the endpoint knows it; it is recorded for each collection
   * @param token sent as {@code Authorization: Bearer}, printable ASCII; never logged
   * @param limits the numbers of the conversation
   */
  record Endpoint(URI baseUrl, String model, Optional<String> token, EndpointLimits limits)
      implements EmbeddingSettings {
    private static final int MAX_MODEL_LENGTH = 512;

    public Endpoint {
      requireBaseUrl(baseUrl);
      if (model.isBlank() || model.length() > MAX_MODEL_LENGTH) {
        throw refused(
            "the embedding model's name must be 1 to %d characters, found %d; set embeddings.model"
                .formatted(MAX_MODEL_LENGTH, model.length()));
      }
      if (token.isPresent() && !isHeaderWord(token.get())) {
        throw refused(
            "the embedding endpoint's token must be printable ASCII without spaces, and not empty; "
                + "look for a line break at its end, or leave it out");
      }
    }

    /**
     * Reads the base URL from text and takes the usual limits.
     *
     * @throws StoreException {@link ErrorCode#INVALID_ARGUMENT} for a URL that is none
     */
    public static Endpoint of(String baseUrl, String model, Optional<String> token) {
      try {
        return new Endpoint(new URI(baseUrl.strip()), model, token, EndpointLimits.usual());
      } catch (URISyntaxException e) {
        throw refused(
            "the embedding endpoint's base URL must be like http://localhost:8080, "
                + "found something else at index %d; set embeddings.base_url"
                    .formatted(e.getIndex()));
      }
    }

    /** The address that texts are posted to: the base URL, then {@code /v1/embeddings}. */
    URI embeddingsUrl() {
      String base = baseUrl.toString();
      while (base.endsWith("/")) {
        base = base.substring(0, base.length() - 1);
      }
      return URI.create(base + (base.endsWith("/v1") ? "/embeddings" : "/v1/embeddings"));
    }

    /** Whether what is sent can be read on a network between here and there. */
    boolean sendsInClear() {
      String host = baseUrl.getHost();
      boolean isThisMachine =
          host.equals("localhost") || host.equals("[::1]") || host.startsWith("127.");
      return baseUrl.getScheme().equalsIgnoreCase("http") && !isThisMachine;
    }

    /** Where and what, for messages: everything but the token. */
    String place() {
      return "%s (model %s)".formatted(baseUrl, model);
    }

    @Override
    public String toString() {
      return "Endpoint[%s, token %s, %s]"
          .formatted(place(), token.isPresent() ? "set" : "none", limits);
    }

    private static boolean isHeaderWord(String token) {
      return !token.isEmpty() && token.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    private static void requireBaseUrl(URI url) {
      String scheme = Optional.ofNullable(url.getScheme()).orElse("").toLowerCase(Locale.ROOT);
      boolean isWeb = scheme.equals("http") || scheme.equals("https");
      boolean isBare =
          url.getRawUserInfo() == null && url.getRawQuery() == null && url.getRawFragment() == null;
      if (!isWeb || url.getHost() == null || !isBare) {
        // The URL itself is not repeated: where it is wrong by a user name, a password follows.
        throw refused(
            "the embedding endpoint's base URL must be http or https with a host and without user "
                + "name, query or fragment, like http://localhost:8080; set embeddings.base_url");
      }
    }
  }

  private static StoreException refused(String message) {
    return new StoreException(ErrorCode.INVALID_ARGUMENT, message);
  }
}
