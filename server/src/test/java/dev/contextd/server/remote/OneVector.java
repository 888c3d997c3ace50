package dev.contextd.server.remote;

import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Embedder;
import java.util.List;
import java.util.OptionalInt;

/**
 * Says its name, and the same vector for every text.
 *
 * @param meanwhile happens while it embeds
 */
record OneVector(String model, Runnable meanwhile) implements Embedder {
  OneVector(String model) {
    this(model, () -> {});
  }

  @Override
  public int dimension() {
    return 3;
  }

  @Override
  public OptionalInt knownDimension() {
    return OptionalInt.of(3);
  }

  @Override
  public List<EmbeddedText> embed(List<String> texts) {
    meanwhile.run();
    return texts.stream().map(_ -> new EmbeddedText(new float[] {1, 0, 0}, false)).toList();
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
