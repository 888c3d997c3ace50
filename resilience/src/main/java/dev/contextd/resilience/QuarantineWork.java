package dev.contextd.resilience;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.engine.VectorStore.Merged;
import dev.contextd.storage.check.CandidateNames;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Quarantine;
import dev.contextd.storage.folder.QuarantineEntry;
import dev.contextd.storage.folder.StoreFolder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * What an operator does about the quarantine: looks at what lies there, brings it back, or lets it
 * go.
 *
 * <p>Invariants: nothing leaves the quarantine before what can be read of it is served and durable;
 * what cannot be read stays, each file as an entry of its own; what leaves it goes to the trash.
 */
public final class QuarantineWork {
  private final VectorStore store;
  private final StoreCheck check;
  private final StoreFolder folder;
  private final HealthChecker checker;
  private final Backups backups;

  QuarantineWork(
      VectorStore store,
      StoreCheck check,
      StoreFolder folder,
      HealthChecker checker,
      Backups backups) {
    this.backups = backups;
    this.store = store;
    this.check = check;
    this.folder = folder;
    this.checker = checker;
  }

  /**
   * A thing in quarantine, as it can be read now.
   *
   * @param name of the entry, a folder below {@code .quarantine/}
   * @param folder that it came from
   * @param file empty where it is a whole folder
   * @param kind of damage, a stable word
   * @param why the damage in one sentence
   * @param since RFC 3339; empty where its note is missing
   * @param documents how many files of documents are in it; empty where it cannot be listed
   * @param collection whose it is, where that is known or proven
   * @param readable how many documents could be brought back; empty where it cannot be told
   * @param hindrance why nothing of it can be brought back; empty where something can
   */
  public record Item(
      String name,
      String folder,
      String file,
      String kind,
      String why,
      String since,
      OptionalInt documents,
      Optional<String> collection,
      OptionalInt readable,
      Optional<String> hindrance) {

    /** The command that brings it back, or helps. */
    public String next() {
      if (hindrance.isEmpty()) {
        return "ctxd metadata quarantine restore " + name;
      }
      return collection.isEmpty()
          ? "ctxd metadata recover NAME"
          : "ctxd metadata quarantine discard " + name;
    }
  }

  private static Item item(
      QuarantineEntry entry,
      Optional<String> collection,
      OptionalInt readable,
      Optional<String> hindrance) {
    return new Item(
        entry.name(),
        entry.folder(),
        entry.file(),
        entry.kind(),
        entry.why(),
        entry.when(),
        entry.documents(),
        collection,
        readable,
        hindrance);
  }

  /**
   * What came of bringing an entry back.
   *
   * @param left entries that hold what could not be read
   */
  public record Restored(String entry, Merged merged, List<String> left) {
    public Restored {
      left = List.copyOf(left);
    }
  }

  /** What lies in quarantine and costs somebody something, in order of names. */
  public List<Item> list() {
    return entries().stream().map(this::look).toList();
  }

  private Item look(QuarantineEntry entry) {
    try {
      Optional<IntactCollection> found = read(entry, Optional.empty());
      if (found.isEmpty()) {
        return item(entry, Optional.empty(), OptionalInt.empty(), Optional.of(nameless(entry)));
      }
      int readable = found.get().documents().size();
      Optional<String> hindrance =
          entry.isCollection() || readable > 0
              ? Optional.empty()
              : Optional.of(unreadable(found.get()));
      return item(
          entry, Optional.of(found.get().collection().name()), OptionalInt.of(readable), hindrance);
    } catch (StoreException e) {
      return item(
          entry,
          Optional.empty(),
          OptionalInt.empty(),
          Optional.of(String.valueOf(e.getMessage())));
    }
  }

  /**
   * Brings entries back, the collections first: what can be read of them is written to the
   * collection of their name, which is created where it is missing. Of two versions of a document
   * the newer is served.
   *
   * @param which an entry, or the folder that one or more came from
   * @param name of the collection; empty where it is known or can be found
   * @param keepsBoth whether of two versions the other one is served too, as {@code <id>.other}
   * @throws StoreException where nothing was brought back
   */
  public synchronized List<Restored> restore(
      String which, Optional<String> name, boolean keepsBoth) {
    List<Restored> all = new ArrayList<>();
    for (QuarantineEntry entry : require(which)) {
      IntactCollection found =
          read(entry, name).orElseThrow(() -> Failures.refused(nameless(entry)));
      if (!entry.isCollection() && found.documents().isEmpty()) {
        throw Failures.refused(unreadable(found));
      }
      Merged merged = store.merge(found, keepsBoth);
      try {
        List<String> left = leave(entry, found);
        boolean isWhole =
            left.isEmpty()
                && found.damage().stream().noneMatch(one -> one instanceof Damage.MetadataUnknown);
        note(
            entry("restored", entry, sentence(merged, left))
                .withKept(left.isEmpty() ? "" : left.getFirst())
                .withSums(entry.checksum(), store.checksum(merged.collection()))
                .withSource("quarantine", isWhole));
        all.add(new Restored(entry.name(), merged, left));
      } catch (IOException e) {
        throw Failures.failed(
            "moving " + entry.name() + " out of quarantine, whose documents are back", e);
      }
    }
    checker.fresh();
    return all;
  }

  private static String sentence(Merged merged, List<String> left) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%d documents are back in \"%s\""
            .formatted(merged.added() + merged.replaced(), merged.collection()));
    if (merged.replaced() > 0) {
      text.append(", %d of them in place of older versions".formatted(merged.replaced()));
    }
    if (merged.older() > 0) {
      text.append("; of %d a newer version was there".formatted(merged.older()));
    }
    if (!left.isEmpty()) {
      text.append("; %d files stay because they cannot be read".formatted(left.size()));
    }
    return text.append('.').toString();
  }

  /**
   * Lets entries go: to the trash, which keeps them for its time.
   *
   * @param which an entry, or the folder that one or more came from
   * @return the entries that went
   */
  public synchronized List<String> discard(String which) {
    requireWritable();
    List<String> gone = new ArrayList<>();
    for (QuarantineEntry entry : require(which)) {
      try {
        quarantine().discard(entry, folder.trash());
      } catch (IOException e) {
        throw Failures.failed("discarding " + entry.name(), e);
      }
      note(
          entry("discarded", entry, "An operator discarded it: " + entry.why())
              .withSums(entry.checksum(), ""));
      gone.add(entry.name());
    }
    checker.fresh();
    return gone;
  }

  /**
   * Brings a collection back whose metadata was lost: out of quarantine where it lies there, and in
   * any case out of the state that its metadata is unknown.
   *
   * @param metadata that the collection is to have; empty where what is served is right
   * @return what was done, in a sentence
   */
  public synchronized String recover(String name, Optional<Map<String, String>> metadata) {
    requireWritable();
    List<String> done = new ArrayList<>();
    String hash = Names.hash(name);
    for (QuarantineEntry entry : entries()) {
      if (entry.isCollection() && Names.belongs(entry.folder(), hash)) {
        restore(entry.name(), Optional.of(name), false)
            .forEach(one -> done.add(sentence(one.merged(), one.left())));
      }
    }
    Optional<CollectionInfo> served = store.collection(name, Scope.ALL).map(VectorCollection::info);
    if (served.flatMap(CollectionInfo::lostMetadata).isPresent()) {
      store.settleMetadata(name, metadata);
      String what = "Its own metadata is " + (metadata.isPresent() ? "set." : "accepted as it is.");
      note(
          new AuditLog.Entry("recovered", served.get().folder(), "", what)
              .withSource("operator", metadata.isPresent()));
      done.add(what);
      checker.fresh();
    }
    if (done.isEmpty()) {
      throw Failures.refused(
          served.isPresent()
              ? "nothing of the collection \"%s\" is lost".formatted(name)
              : "no collection \"%s\" is served, and nothing in quarantine came from its folder %s"
                  .formatted(name, hash));
    }
    return String.join(" ", done);
  }

  private Quarantine quarantine() {
    return folder.quarantine();
  }

  private List<QuarantineEntry> entries() {
    try {
      return quarantine().list().stream().filter(entry -> !entry.mended()).toList();
    } catch (IOException e) {
      throw Failures.failed("listing the quarantine", e);
    }
  }

  /** The collections first: their documents belong to them. */
  private List<QuarantineEntry> require(String which) {
    List<QuarantineEntry> entries = entries();
    List<QuarantineEntry> named =
        entries.stream().filter(entry -> entry.name().equals(which)).toList();
    if (named.isEmpty()) {
      named =
          entries.stream()
              .filter(entry -> entry.folder().equals(which))
              .sorted((a, b) -> Boolean.compare(b.isCollection(), a.isCollection()))
              .toList();
    }
    if (named.isEmpty()) {
      throw Failures.refused(
          "nothing in quarantine is, or came from, \"" + which + "\"; list what is there first");
    }
    return named;
  }

  private Optional<IntactCollection> read(QuarantineEntry entry, Optional<String> name) {
    name.ifPresent(given -> requireProof(entry, given));
    CandidateNames names = CandidateNames.builtIn().and(backups.names(), "a backup names it");
    Optional<String> owner = name.or(() -> owner(entry));
    if (owner.isPresent()) {
      names = names.and(List.of(owner.get()), name.isPresent() ? "an operator gave it" : "served");
    }
    return check.checkAlone(quarantine().folderOf(entry), entry.folder(), names);
  }

  /** A document of a served collection belongs to that one, whatever it is called. */
  private Optional<String> owner(QuarantineEntry entry) {
    return store.collectionIn(entry.folder());
  }

  /** A name is taken only where the folder's own name proves it. */
  private static void requireProof(QuarantineEntry entry, String name) {
    String hash = Names.hash(name);
    if (!Names.belongs(entry.folder(), hash)) {
      throw Failures.refused(
          "the collection \"%s\" would lie in the folder %s, this one came from %s: it is another collection's"
              .formatted(name, hash, entry.folder()));
    }
  }

  private static String nameless(QuarantineEntry entry) {
    return "the name of the collection of %s is lost and none of those known has its hash; give the name"
        .formatted(entry.folder());
  }

  private static String unreadable(IntactCollection found) {
    return found.damage().stream()
        .filter(damage -> damage.loss() == Damage.Loss.DOCUMENT)
        .map(damage -> "it cannot be read yet: " + damage.sentence())
        .findFirst()
        .orElse("there is no document in it");
  }

  /** What could be read goes to the trash; each file that could not stays as an entry. */
  private List<String> leave(QuarantineEntry entry, IntactCollection found) throws IOException {
    List<String> left = new ArrayList<>();
    TreeSet<String> files = new TreeSet<>();
    if (entry.isCollection()) {
      for (Damage damage : found.damage()) {
        if (damage.loss() == Damage.Loss.DOCUMENT && files.add(damage.file())) {
          left.add(quarantine().split(entry, damage.file(), damage.word(), damage.sentence()));
        }
      }
    }
    quarantine().discard(entry, folder.trash());
    return left;
  }

  private static AuditLog.Entry entry(String what, QuarantineEntry entry, String why) {
    return new AuditLog.Entry(what, entry.folder(), entry.file(), why);
  }

  private void note(AuditLog.Entry done) {
    folder.audit().note(List.of(done));
  }

  private void requireWritable() {
    store
        .readOnlyReason()
        .ifPresent(reason -> {
          throw new StoreException(
              ErrorCode.READ_ONLY,
              "the store is served read-only, because " + reason + "; mend that and restart");
        });
  }
}
