package dev.contextd.resilience;

import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.RepairWork.Kind;
import dev.contextd.resilience.RepairWork.Step;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Checksum;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Documents that stand in their files whole but for a vector that can be searched: the store's own
 * model makes it anew from the content. The file that was there goes to the trash.
 */
final class EmbedAgain {
  private final VectorStore store;
  private final StoreFolder folder;
  private final Disk disk;

  EmbedAgain(VectorStore store, StoreFolder folder, Disk disk) {
    this.store = store;
    this.folder = folder;
    this.disk = disk;
  }

  /** Whose vector cannot be searched; empty for every other damage. */
  static Optional<String> idOf(Damage damage) {
    return switch (damage) {
      case Damage.DimensionMismatch found -> Optional.of(found.id());
      case Damage.VectorUnusable found -> Optional.of(found.id());
      default -> Optional.empty();
    };
  }

  Step step(Damage damage, boolean isWanted) {
    return new Step(
        isWanted ? Kind.EMBED : Kind.OPERATOR,
        damage.folder(),
        damage.file(),
        isWanted ? "its stored content" : "",
        false,
        damage.sentence(),
        "ctxd repair --embed");
  }

  /**
   * Embeds the content of the damaged document, and serves it.
   *
   * @return what was done, in a sentence
   */
  String run(Damage damage, String id) {
    String collection =
        store
            .collectionIn(damage.folder())
            .orElseThrow(() -> Failures.refused("its collection is not served"));
    boolean isThere =
        store.collection(collection, Scope.ALL).flatMap(served -> served.get(id)).isPresent();
    if (isThere) {
      throw Failures.refused("the document \"" + id + "\" is served in another version");
    }
    Path file = folder.root().resolve(damage.folder()).resolve(damage.file());
    try {
      String before = HexFormat.of().formatHex(disk.sum(file).sha256());
      StoredDocument stored = DocumentFormat.decode(disk.read(file)).value();
      store.upsert(
          collection,
          List.of(
              new NewDocument(
                  Optional.of(id), stored.content(), Optional.empty(), stored.metadataOrEmpty())),
          Scope.ALL);
      String why = "The vector of \"%s\" was made anew from its content.".formatted(id);
      folder
          .audit()
          .note(
              List.of(
                  new AuditLog.Entry("embedded", damage.folder(), damage.file(), why)
                      .withSums(Checksum.ofFile(before), store.checksum(collection))
                      .withSource("content", false)));
      return "embedded again; the file as it was is in the trash";
    } catch (IOException e) {
      throw Failures.failed("reading " + file, e);
    } catch (FormatException e) {
      throw Failures.refused(file + " cannot be read any more: " + e.reason());
    }
  }
}
