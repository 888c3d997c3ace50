package dev.contextd.crash;

import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.ChromemGo.Doc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What one fault may cost, and when it must be reported: the place to tighten when the store can do
 * more. {@link #mayCostDocument}, {@link #mayCostCollection} and {@link #mustBeReported} hold all
 * that depends on {@link Promises}.
 */
final class DamagePromises {
  private static final int BRIEF = 40;

  private final Promises promises;
  private final PreparedStore store;
  private final Damaged damaged;
  private final List<String> broken = new ArrayList<>();
  private boolean isAnythingMissing;

  private DamagePromises(PreparedStore store, Damaged damaged, Promises promises) {
    this.store = store;
    this.damaged = damaged;
    this.promises = promises;
  }

  /** What was promised and did not come true; empty where all is well. */
  static List<String> broken(PreparedStore store, Damaged damaged, Opened opened) {
    DamagePromises judge = new DamagePromises(store, damaged, Promises.current());
    judge.judgeServed(opened.served());
    boolean isReported = !store.undamaged().reports().containsAll(opened.reports());
    if (judge.mustBeReported() && !isReported) {
      judge.broken.add("nothing was reported");
    }
    return judge.broken;
  }

  /** Whether the document need not be served, or not as it was. */
  private boolean mayCostDocument(String collection, String id) {
    return switch (promises) {
      case FILES ->
          damaged.victim() instanceof Victim.OneDocument own
              && own.collection().equals(collection)
              && own.id().equals(id);
      case JOURNAL -> isJournal();
    };
  }

  /** Whether the collection need not be served under its name. */
  private boolean mayCostCollection(String collection) {
    return switch (promises) {
      case FILES ->
          switch (damaged.victim()) {
            case Victim.Metadata own -> own.collection().equals(collection);
            case Victim.TwoMetadata own ->
                own.collection().equals(collection) || own.otherCollection().equals(collection);
            case Victim.OneDocument _, Victim.Folder _, Victim.Other _ -> false;
          };
      case JOURNAL -> (isJournal() && onDisk(collection) == null) || isCutCreation(collection);
    };
  }

  /**
   * A kill may come between a collection's files and the record of it, which nobody was told of.
   */
  private boolean isCutCreation(String collection) {
    boolean isItsMetadata =
        switch (damaged.victim()) {
          case Victim.Metadata own -> own.collection().equals(collection);
          case Victim.TwoMetadata own ->
              own.collection().equals(collection) || own.otherCollection().equals(collection);
          case Victim.OneDocument _, Victim.Folder _, Victim.Other _ -> false;
        };
    Coll before = store.undamaged().served().get(collection);
    return isItsMetadata && store.hasJournal() && before != null && before.documents().isEmpty();
  }

  /**
   * With files alone nobody can know of a document's file that is gone, or of a turned bit in one
   * that can still be read.
   */
  private boolean mustBeReported() {
    if (!damaged.isChanged()) {
      return false;
    }
    return switch (promises) {
      case FILES ->
          switch (damaged.victim()) {
            case Victim.Other _ -> false;
            case Victim.OneDocument _ when damaged.fault() == Fault.GONE -> false;
            case Victim.OneDocument _, Victim.Metadata _ ->
                isAnythingMissing || !damaged.fault().mayBePlausible();
            case Victim.TwoMetadata _, Victim.Folder _ -> true;
          };
      case JOURNAL ->
          switch (damaged.victim()) {
            case Victim.Other other -> other.isBelow("packs") && store.namesPack(other.path());
            case Victim.OneDocument _, Victim.Metadata _, Victim.TwoMetadata _ ->
                !store.hasJournal();
            // A deleted collection's folder goes to the trash, whatever it is called by then.
            case Victim.Folder own -> store.undamaged().served().containsKey(own.collection());
          };
    };
  }

  /** What only a damaged journal knew may be lost; where that cannot be told, it is a torn tail. */
  private boolean isJournal() {
    return damaged.isOfJournal();
  }

  private void judgeServed(Map<String, Coll> served) {
    store
        .undamaged()
        .served()
        .forEach((name, before) -> {
          Coll now = served.get(name);
          if (now == null) {
            isAnythingMissing = true;
            note(mayCostCollection(name), name + " is not served");
          } else if (!isSwapped(name)) {
            note(
                mayCostCollection(name) || Objects.equals(before.metadata(), now.metadata()),
                name + " has the metadata " + now.metadata());
            judgeDocuments(name, before, now);
          }
        });
    Set<String> strangers = new TreeSet<>(served.keySet());
    strangers.removeAll(store.undamaged().served().keySet());
    for (String stranger : strangers) {
      judgeStranger(stranger, served.get(stranger));
    }
  }

  /**
   * With files alone, collections that changed their metadata are served under each other's name.
   */
  private boolean isSwapped(String name) {
    return damaged.victim() instanceof Victim.TwoMetadata && mayCostCollection(name);
  }

  private void judgeDocuments(String name, Coll before, Coll now) {
    Set<String> ids = new TreeSet<>(before.documents().keySet());
    ids.addAll(now.documents().keySet());
    for (String id : ids) {
      Doc expected = doc(before, id);
      Doc found = doc(now, id);
      isAnythingMissing |= found == null;
      if (!Objects.equals(expected, found)) {
        boolean mayDiffer = found == null || damaged.fault().mayBePlausible() || isJournal();
        note(
            mayCostDocument(name, id) && mayDiffer,
            "%s/%s: found %s, expected %s".formatted(name, id, brief(found), brief(expected)));
      }
    }
  }

  /**
   * A turned bit may have changed the name; then the documents are those of the collection. And a
   * deletion that only the damaged journal knew of may be undone.
   */
  private void judgeStranger(String name, @Nullable Coll now) {
    boolean isMisread =
        damaged.victim() instanceof Victim.Metadata own
            && mayCostCollection(own.collection())
            && damaged.fault().mayBePlausible()
            && now != null
            && Optional.ofNullable(store.undamaged().served().get(own.collection()))
                .filter(before -> before.documents().equals(now.documents()))
                .isPresent();
    boolean isUndeleted = isJournal() && (onDisk(name) != null || store.namesCollection(name));
    note(isMisread || isUndeleted, name + " never was");
  }

  private static String brief(@Nullable Doc document) {
    if (document == null) {
      return "nothing";
    }
    String content = document.content();
    return "%s %s... %s"
        .formatted(
            document.metadata(),
            content.substring(0, Math.min(content.length(), BRIEF)),
            document.bits());
  }

  private void note(boolean isAllowed, String complaint) {
    if (!isAllowed) {
      broken.add(complaint);
    }
  }

  private @Nullable Coll onDisk(String collection) {
    return store.onDisk().get(collection);
  }

  private static @Nullable Doc doc(@Nullable Coll collection, String id) {
    return collection == null ? null : collection.documents().get(id);
  }
}
