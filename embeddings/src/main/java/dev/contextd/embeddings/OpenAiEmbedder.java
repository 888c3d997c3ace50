package dev.contextd.embeddings;

import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedder behind an OpenAI-compatible endpoint: {@code POST /v1/embeddings}, as OpenAI,
 * Ollama, TEI and vLLM speak it.
 *
 * <p>A text that the endpoint refuses as too long is embedded from its first part, which is found
 * by shortening it, and is said to be truncated. Where the endpoint shortens by itself and says
 * nothing (Ollama up to 0.13.4 and wherever its {@code truncate} works, TEI with {@code
 * --auto-truncate}), the answer looks like any other and {@code truncated} stays false: start TEI
 * without that flag to be told.
 *
 * <p>Redirects are not followed, so the token goes nowhere but to the base URL.
 *
 * <p>Invariants: the first answer decides the dimension, and a vector of another one is never
 * returned; the wait for an answer is bounded by the {@link EndpointLimits}.
 */
public final class OpenAiEmbedder implements Embedder {

  private static final Logger log = LoggerFactory.getLogger(OpenAiEmbedder.class);
  private static final int UNKNOWN = 0;

  private final EmbeddingSettings.Endpoint endpoint;
  private final EndpointLimits limits;
  private final EndpointClient client;
  private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger dimension = new AtomicInteger(UNKNOWN);
  private volatile boolean closed;

  /** An embedder that is connected at its first use. */
  public OpenAiEmbedder(EmbeddingSettings.Endpoint endpoint) {
    this(endpoint, Clock.systemUTC(), RandomGenerator.getDefault());
  }

  OpenAiEmbedder(EmbeddingSettings.Endpoint endpoint, Clock clock, RandomGenerator random) {
    this.endpoint = endpoint;
    this.limits = endpoint.limits();
    this.client = new EndpointClient(endpoint, clock, random);
    if (endpoint.token().isPresent() && endpoint.sendsInClear()) {
      log.warn("The token for {} goes over the network in clear: use https", endpoint.place());
    }
  }

  @Override
  public String model() {
    return endpoint.model();
  }

  /**
   * The dimension that the endpoint's first answer had; asks for the vector of a word if need be.
   */
  @Override
  public int dimension() {
    if (dimension.get() == UNKNOWN) {
      embed(List.of("dimension"));
    }
    return dimension.get();
  }

  @Override
  public OptionalInt knownDimension() {
    int known = dimension.get();
    return known == UNKNOWN ? OptionalInt.empty() : OptionalInt.of(known);
  }

  @Override
  public List<EmbeddedText> embed(List<String> texts) {
    Inputs.require(texts);
    requireOpen();
    List<Part> parts = texts.stream().map(this::sendablePart).toList();
    int perCall = limits.inputsPerCall();
    List<List<Part>> groups = new ArrayList<>();
    for (int from = 0; from < parts.size(); from += perCall) {
      groups.add(parts.subList(from, Math.min(parts.size(), from + perCall)));
    }
    return groups.size() == 1 ? embedGroup(groups.getFirst()) : embedInParallel(groups);
  }

  /** A text, or its first part, on its way to the endpoint. */
  private record Part(String text, boolean truncated) {}

  private Part sendablePart(String text) {
    if (text.length() <= limits.maxInputChars()) {
      return new Part(text, false);
    }
    String readable = text.strip(); // so that the first part is not blank
    String first = Inputs.firstPart(readable, limits.maxInputChars());
    return new Part(first, first.length() < readable.length());
  }

  private List<EmbeddedText> embedInParallel(List<List<Part>> groups) {
    List<Future<List<EmbeddedText>>> pending = new ArrayList<>();
    try {
      for (List<Part> group : groups) {
        pending.add(calls.submit(() -> embedGroup(group)));
      }
      List<EmbeddedText> embedded = new ArrayList<>();
      for (Future<List<EmbeddedText>> call : pending) {
        embedded.addAll(call.get());
      }
      return embedded;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed("the call was interrupted; try again", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StoreException refused) {
        throw refused;
      }
      throw failed("a request failed; look at the cause in the log, and report it", e.getCause());
    } catch (RejectedExecutionException e) {
      throw closedException();
    } finally {
      pending.forEach(call -> call.cancel(true)); // no effect on those that are done
    }
  }

  /** Embeds some parts by one request, or by more where the endpoint finds them too long. */
  private List<EmbeddedText> embedGroup(List<Part> group) {
    requireOpen();
    return switch (client.post(group.stream().map(Part::text).toList())) {
      case Reply.Embedded embedded -> asResults(group, embedded.vectors());
      case Reply.TooLong tooLong ->
          group.size() == 1
              ? List.of(embedFirstPart(group.getFirst().text(), tooLong))
              : embedHalves(group);
      case Reply.Unavailable unavailable -> throw unavailable(unavailable);
      case Reply.Refused refused -> throw failed(refused.reason(), null);
    };
  }

  /** Finds by halving which of the parts is too long; the others need not suffer. */
  private List<EmbeddedText> embedHalves(List<Part> group) {
    int half = group.size() / 2;
    List<EmbeddedText> embedded = new ArrayList<>(embedGroup(group.subList(0, half)));
    embedded.addAll(embedGroup(group.subList(half, group.size())));
    return embedded;
  }

  private EmbeddedText embedFirstPart(String text, Reply.TooLong refusal) {
    String part = text.strip(); // so that the first part is not blank
    Reply reply = refusal;
    for (int i = 0; i < limits.shortenings() && reply instanceof Reply.TooLong tooLong; i++) {
      part = Inputs.firstPart(part, (int) (part.length() * tooLong.keep()));
      if (part.isEmpty()) {
        break;
      }
      reply = client.post(List.of(part));
    }
    return switch (reply) {
      case Reply.Embedded embedded ->
          asResults(List.of(new Part(part, true)), embedded.vectors()).getFirst();
      case Reply.TooLong _ ->
          throw failed(
              ("expected the first %d of a text's %d characters to be short enough, found them "
                      + "refused as too long; check the model")
                  .formatted(part.length(), text.length()),
              null);
      case Reply.Unavailable unavailable -> throw unavailable(unavailable);
      case Reply.Refused refused -> throw failed(refused.reason(), null);
    };
  }

  private List<EmbeddedText> asResults(List<Part> parts, List<float[]> vectors) {
    int found = vectors.getFirst().length;
    int expected = dimension.compareAndExchange(UNKNOWN, found);
    if (expected != UNKNOWN && expected != found) {
      throw failed(
          ("expected vectors of %d dimensions as before, found %d; if the endpoint has another "
                  + "model now, give it another name and restart")
              .formatted(expected, found),
          null);
    }
    List<EmbeddedText> embedded = new ArrayList<>(parts.size());
    for (int i = 0; i < parts.size(); i++) {
      embedded.add(new EmbeddedText(vectors.get(i), parts.get(i).truncated()));
    }
    return embedded;
  }

  private void requireOpen() {
    if (closed) {
      throw closedException();
    }
  }

  /** Ends the requests under way, which fail, and closes the connections. */
  @Override
  public void close() {
    closed = true;
    calls.shutdown();
    client.close();
  }

  private StoreException unavailable(Reply.Unavailable unavailable) {
    return closed
        ? closedException()
        : failed(
            "%s, after %d tries; check that the endpoint runs and answers"
                .formatted(unavailable.reason(), limits.attempts()),
            null);
  }

  private StoreException failed(String reason, @Nullable Throwable cause) {
    return new StoreException(
        ErrorCode.EMBEDDING_FAILED,
        "embedding endpoint %s: %s".formatted(endpoint.place(), reason),
        cause);
  }

  private static StoreException closedException() {
    return new StoreException(
        ErrorCode.CLOSED, "the embedder must be open to embed text, found it closed; open it anew");
  }
}
