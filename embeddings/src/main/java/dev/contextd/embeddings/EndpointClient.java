package dev.contextd.embeddings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The requests to an OpenAI-compatible endpoint, with timeout and retry.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>At most {@code parallelCalls} requests are under way; a wait for a second try holds no
 *       place.
 *   <li>Only what may pass by itself is tried again: no connection, no answer in time, 429, 5xx.
 *   <li>Neither texts nor the token, nor anything the endpoint says freely, enter a message or the
 *       log: an endpoint may repeat what it was sent.
 * </ul>
 */
final class EndpointClient implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(EndpointClient.class);

  private final EmbeddingSettings.Endpoint endpoint;
  private final EndpointLimits limits;
  private final HttpClient http;
  private final RandomGenerator random;
  private final RetryAfter retryAfter;
  private final Semaphore places;
  private final Retry retry;
  private final JsonMapper json = new JsonMapper();
  private final AnswerReader answers = new AnswerReader();
  private volatile boolean closed;

  EndpointClient(EmbeddingSettings.Endpoint endpoint, Clock clock, RandomGenerator random) {
    this.endpoint = endpoint;
    this.limits = endpoint.limits();
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(limits.connectTimeout())
            .build();
    this.random = random;
    this.retryAfter = new RetryAfter(clock);
    this.places = new Semaphore(limits.parallelCalls(), true);
    this.retry =
        Retry.of(
            "embedding endpoint",
            RetryConfig.<Reply>custom()
                .maxAttempts(limits.attempts())
                .retryOnResult(reply -> reply instanceof Reply.Unavailable && !closed)
                .retryOnException(failure -> false)
                .intervalBiFunction(this::waitMillis)
                .build());
  }

  /**
   * Asks for the vectors of some inputs, several times where need be.
   *
   * @throws StoreException {@link ErrorCode#EMBEDDING_FAILED} where the calling thread is
   *     interrupted
   */
  Reply post(List<String> inputs) {
    HttpRequest request = request(inputs);
    return retry.executeSupplier(() -> exchange(request, inputs.size()));
  }

  private HttpRequest request(List<String> inputs) {
    ObjectNode body = json.createObjectNode();
    body.put("model", endpoint.model());
    ArrayNode input = body.putArray("input");
    inputs.forEach(input::add);
    body.put("encoding_format", "float");
    HttpRequest.Builder request =
        HttpRequest.newBuilder(endpoint.embeddingsUrl())
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(asText(body)));
    endpoint.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    return request.build();
  }

  private String asText(ObjectNode body) {
    try {
      return json.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of strings is always JSON", e);
    }
  }

  private Reply exchange(HttpRequest request, int inputs) {
    try {
      if (!places.tryAcquire(limits.requestTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
        return unavailable(
            "all %d requests at a time are under way since %s"
                .formatted(limits.parallelCalls(), limits.requestTimeout()));
      }
      try {
        return send(request, inputs);
      } finally {
        places.release();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException(
          ErrorCode.EMBEDDING_FAILED,
          "the call was interrupted while %s was asked; try again".formatted(endpoint.place()),
          e);
    }
  }

  private Reply send(HttpRequest request, int inputs) throws InterruptedException {
    // The request's own timeout would end with the headers; a body that trickles has to end as
    // well.
    CompletableFuture<HttpResponse<Optional<byte[]>>> response =
        http.sendAsync(request, info -> new BoundedBody(limits.maxAnswerBytes()));
    try {
      return read(response.get(limits.requestTimeout().toMillis(), TimeUnit.MILLISECONDS), inputs);
    } catch (TimeoutException e) {
      response.cancel(true);
      return unavailable("no whole answer within " + limits.requestTimeout());
    } catch (ExecutionException e) {
      return ofFailure(e.getCause());
    } catch (InterruptedException e) {
      response.cancel(true);
      throw e;
    }
  }

  private static Reply ofFailure(@Nullable Throwable failure) {
    String names = classNames(failure);
    if (failure instanceof SSLException) {
      return new Reply.Refused(
          "no TLS connection (%s); check the scheme and the certificate".formatted(names));
    }
    return failure instanceof IOException
        ? unavailable("no connection, or a broken one (%s)".formatted(names))
        : new Reply.Refused("the request failed (%s)".formatted(names));
  }

  /** The failure and its first cause by name; their messages may quote the endpoint. */
  private static String classNames(@Nullable Throwable failure) {
    if (failure == null) {
      return "no cause";
    }
    String name = failure.getClass().getSimpleName();
    Throwable cause = failure.getCause();
    return cause == null ? name : name + ", " + cause.getClass().getSimpleName();
  }

  private Reply read(HttpResponse<Optional<byte[]>> response, int inputs) {
    if (response.body().isEmpty()) {
      return new Reply.Refused(
          ("expected an answer of at most %,d bytes, found a longer one; check that this is an "
                  + "embedding endpoint")
              .formatted(limits.maxAnswerBytes()));
    }
    byte[] body = response.body().get();
    int status = response.statusCode();
    if (status == 200) {
      return answers.read(body, inputs);
    }
    OptionalDouble keep = LengthRefusal.keep(status, new String(body, StandardCharsets.UTF_8));
    if (keep.isPresent()) {
      return new Reply.TooLong(keep.getAsDouble());
    }
    String found = "expected status 200, found %d%s".formatted(status, answers.errorName(body));
    return status == 429 || status >= 500
        ? new Reply.Unavailable(found, retryAfter.read(response.headers()))
        : new Reply.Refused(found + "; " + nextStep(status));
  }

  private static String nextStep(int status) {
    if (status >= 300 && status < 400) {
      return "redirects are not followed, set embeddings.base_url to where it leads";
    }
    return switch (status) {
      case 401, 403 -> "check the token";
      case 404 -> "check embeddings.base_url, and that the endpoint has the model";
      default -> "check embeddings.base_url and embeddings.model, and the endpoint's own log";
    };
  }

  private static Reply.Unavailable unavailable(String reason) {
    return new Reply.Unavailable(reason, Optional.empty());
  }

  /** Doubles from try to try, half of it by chance so that clients do not come in step. */
  private long waitMillis(int attempt, Either<Throwable, Reply> outcome) {
    long cap = limits.maxBackoff().toMillis();
    long doubled = limits.firstBackoff().toMillis() << Math.min(attempt - 1, 20);
    double jittered = Math.min(cap, doubled) * (0.5 + random.nextDouble() / 2);
    long millis = (long) jittered;
    if (outcome.get() instanceof Reply.Unavailable unavailable) {
      long asked = unavailable.retryAfter().map(Duration::toMillis).orElse(0L);
      millis = Math.min(cap, Math.max(millis, asked));
      log.warn(
          "The embedding endpoint {} is unavailable, trying again in {} ms: {}",
          endpoint.place(),
          millis,
          unavailable.reason());
    }
    return Math.max(1, millis);
  }

  /** Breaks the requests under way off; they and later ones come back as unavailable. */
  @Override
  public void close() {
    closed = true;
    http.shutdownNow();
  }
}
