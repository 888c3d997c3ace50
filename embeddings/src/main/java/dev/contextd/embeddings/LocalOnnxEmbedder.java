package dev.contextd.embeddings;

import ai.onnxruntime.OrtException;
import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedder inside the program: bge-small-en-v1.5 with 8-bit weights by ONNX, 384 dimensions,
 * vectors of unit length. Nothing is downloaded and nothing leaves the machine.
 *
 * <p>A text is embedded from its first 510 word pieces, and from its first {@value
 * Tokenizer#MAX_CHARS} characters where these are fewer, as {@link Tokenizer} explains. The same
 * text always gives the same vector on the same machine, alone or among others.
 *
 * <p>Loading takes about half a second, two to three where the native libraries are not unpacked
 * yet (onnxruntime's to the temporary folder, the tokenizer's to {@code ~/.djl.ai}).
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>The model is loaded at most once, by the first call that needs it; a load that failed is
 *       tried again by the next call.
 *   <li>At most {@code parallelism} texts are embedded at a time, however many callers there are,
 *       and callers take turns text by text: a query does not wait for a batch.
 *   <li>The model is freed only after the last worker has ended, because freeing it under one would
 *       end the process.
 * </ul>
 */
public final class LocalOnnxEmbedder implements Embedder {

  /**
   * The name that is recorded for collections: that of the full model, though ours has 8-bit
   * weights.
   *
   * <p>Reason: contextd's settings call the model so, and its folders shall be searched without
   * embedding them anew. The vectors are the same but for rounding: over 120 paragraphs the cosine
   * between the full model's and ours was 0.996 on average and 0.989 at least, so they rank alike.
   */
  public static final String MODEL = "BAAI/bge-small-en-v1.5";

  private static final Logger log = LoggerFactory.getLogger(LocalOnnxEmbedder.class);

  /** A worker ends after the text it has in hand, which takes far less than a second. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

  private final int parallelism;
  private final ExecutorService workers;
  private final Object loading = new Object();
  private volatile @Nullable OnnxModel model;
  private volatile boolean closed;

  /** An embedder on all cores. */
  public LocalOnnxEmbedder() {
    this(EmbeddingSettings.LocalModel.onAllCores().parallelism());
  }

  /**
   * An embedder on some cores.
   *
   * @param parallelism texts embedded at the same time
   */
  public LocalOnnxEmbedder(int parallelism) {
    this.parallelism = parallelism;
    this.workers =
        Executors.newFixedThreadPool(
            parallelism, Thread.ofPlatform().daemon().name("contextd-embed-", 0).factory());
  }

  @Override
  public String model() {
    return MODEL;
  }

  @Override
  public int dimension() {
    return OnnxModel.DIMENSION;
  }

  @Override
  public OptionalInt knownDimension() {
    return OptionalInt.of(OnnxModel.DIMENSION);
  }

  @Override
  public List<EmbeddedText> embed(List<String> texts) {
    Inputs.require(texts);
    if (texts.isEmpty()) {
      return List.of();
    }
    OnnxModel loaded = loadedModel();
    if (Thread.currentThread().isInterrupted()) {
      throw failed("the call was interrupted before its texts were embedded; try again", null);
    }
    LocalBatch batch = new LocalBatch(texts, (index, text) -> embed(loaded, index, text), workers);
    try {
      return batch.start(parallelism).get();
    } catch (InterruptedException e) {
      batch.abandon();
      Thread.currentThread().interrupt();
      throw failed("the call was interrupted while a text was embedded; try again", e);
    } catch (ExecutionException e) {
      throw asStoreException(e.getCause());
    }
  }

  private EmbeddedText embed(OnnxModel model, int index, String text) throws OrtException {
    if (closed) {
      throw closedException(); // what still stands in the queue does not delay the end
    }
    Tokenizer.Tokens tokens = model.tokenizer().tokenize(text);
    if (tokens.isEmpty()) {
      throw Inputs.blank(index);
    }
    return new EmbeddedText(model.run(tokens.ids()), tokens.truncated());
  }

  private StoreException asStoreException(@Nullable Throwable cause) {
    if (cause instanceof StoreException refused) {
      return refused;
    }
    if (closed) {
      return closedException();
    }
    return failed(
        "the local embedding model %s failed on a text; report it with the cause in the log"
            .formatted(MODEL),
        cause);
  }

  private OnnxModel loadedModel() {
    OnnxModel loaded = model;
    if (loaded != null && !closed) {
      return loaded;
    }
    synchronized (loading) {
      if (closed) {
        throw closedException();
      }
      loaded = model;
      if (loaded == null) {
        loaded = load();
        model = loaded;
      }
      return loaded;
    }
  }

  private static OnnxModel load() {
    long start = System.nanoTime();
    try {
      OnnxModel loaded = OnnxModel.load();
      log.info(
          "Loaded the embedding model {} in {} ms",
          MODEL,
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
      return loaded;
    } catch (IOException | OrtException | RuntimeException | LinkageError e) {
      throw failed(
          ("the local embedding model %s must load, found %s; it needs a 64-bit Linux, macOS or "
                  + "Windows with the usual C library, and room in the temporary and the home "
                  + "folder; without them set embeddings.provider to an endpoint or to none")
              .formatted(MODEL, e),
          e);
    }
  }

  /** Ends the workers and frees the model. Calls under way end with {@link ErrorCode#CLOSED}. */
  @Override
  public void close() {
    closed = true;
    workers.shutdown();
    try {
      if (!workers.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("The embedding model is still at work after {}: not freed", CLOSE_TIMEOUT);
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    synchronized (loading) {
      OnnxModel loaded = model;
      model = null;
      if (loaded != null) {
        loaded.close();
      }
    }
  }

  private static StoreException closedException() {
    return new StoreException(
        ErrorCode.CLOSED, "the embedder must be open to embed text, found it closed; open it anew");
  }

  private static StoreException failed(String message, @Nullable Throwable cause) {
    return new StoreException(ErrorCode.EMBEDDING_FAILED, message, cause);
  }
}
