package dev.contextd.storage.check;

import java.util.Locale;

/**
 * Something in a store that is not as it should be: what, where, expected and actual, and how it
 * can be repaired.
 *
 * <p>The list is closed; a new kind of damage is a new record here, and every place that judges
 * damage then stops compiling until it has an answer.
 */
public sealed interface Damage {

  /** The folder below the root in which it was found; the thing itself where it is no folder. */
  String folder();

  /** The file in {@link #folder()}; empty where it is the folder that is damaged. */
  default String file() {
    return "";
  }

  /** What was expected and what was found, in one sentence. */
  String sentence();

  /** How much of the collection cannot be served because of it. */
  Loss loss();

  Repair repair();

  /** The kind of damage as a stable word: {@code metadata_missing}. */
  default String word() {
    return getClass()
        .getSimpleName()
        .replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_")
        .toLowerCase(Locale.ROOT);
  }

  /** How much is unserved. */
  enum Loss {
    /** Everything is served all the same. */
    NOTHING,
    /** One document is not. */
    DOCUMENT,
    /** The whole collection is not. */
    COLLECTION
  }

  /** A folder with documents has no metadata file, so its collection's name is unknown. */
  record MetadataMissing(String folder, int documentFiles) implements Damage {
    @Override
    public String sentence() {
      return "The metadata file 00000000.gob is missing beside " + documentFiles + " documents.";
    }

    @Override
    public Loss loss() {
      return Loss.COLLECTION;
    }

    @Override
    public Repair repair() {
      return new Repair.QuarantineCollection();
    }
  }

  /** A metadata file's bytes are no metadata. */
  record MetadataUnreadable(String folder, String file, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The metadata file cannot be read: " + reason + ".";
    }

    @Override
    public Loss loss() {
      return Loss.COLLECTION;
    }

    @Override
    public Repair repair() {
      return new Repair.QuarantineCollection();
    }
  }

  /** A metadata file holds a name whose hash is not its folder's; it is served all the same. */
  record MetadataMisplaced(String folder, String file, String name, String expectedFolder)
      implements Damage {
    @Override
    public String sentence() {
      return "The metadata names the collection \""
          + name
          + "\", which belongs into the folder "
          + expectedFolder
          + "; it is served under that name.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace(
          "stop the daemon and rename the folder to " + expectedFolder + " if the name is right");
    }
  }

  /** A collection's name differs from another's only in bytes that are not UTF-8. */
  record NameAmbiguous(String folder, String file, String name, String otherFolder)
      implements Damage {
    @Override
    public String sentence() {
      return "The collection's name, read as UTF-8, is \""
          + name
          + "\" like that of the folder "
          + otherFolder
          + ", though their bytes differ.";
    }

    @Override
    public Loss loss() {
      return Loss.COLLECTION;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("give one of them a name in UTF-8 with a Go program");
    }
  }

  /** Two folders claim the same collection, and this one has the weaker claim. */
  record NameClaimedTwice(String folder, String file, String name, String otherFolder)
      implements Damage {
    @Override
    public String sentence() {
      return "The metadata names the collection \""
          + name
          + "\", which the folder "
          + otherFolder
          + " claims as well.";
    }

    @Override
    public Loss loss() {
      return Loss.COLLECTION;
    }

    @Override
    public Repair repair() {
      return new Repair.QuarantineCollection();
    }
  }

  /** A document file's bytes are no document. */
  record DocumentUnreadable(String folder, String file, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The document cannot be read: " + reason + ".";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.QuarantineFile();
    }
  }

  /** A file's name does not belong to the id of the document inside, as with a stray copy. */
  record DocumentMisplaced(String folder, String file, String id, String expectedFile)
      implements Damage {
    @Override
    public String sentence() {
      return "The file holds the document \"" + id + "\", which belongs into " + expectedFile + ".";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.QuarantineFile();
    }
  }

  /** Two files hold different versions of one document; the one that sorts last is served. */
  record DocumentDuplicate(String folder, String file, String id, String servedFile)
      implements Damage {
    @Override
    public String sentence() {
      return "The file holds another version of the document \""
          + id
          + "\" than "
          + servedFile
          + ", which is served.";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.QuarantineFile();
    }
  }

  /** A document's id differs from another's only in bytes that are not UTF-8. */
  record DocumentAmbiguous(String folder, String file, String id, String servedFile)
      implements Damage {
    @Override
    public String sentence() {
      return "The document's id, read as UTF-8, is \""
          + id
          + "\" like that in "
          + servedFile
          + ", though their bytes differ.";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("give one of them an id in UTF-8 with a Go program");
    }
  }

  /** A file repeats a document that is served from another file, so that nothing is lost. */
  record DocumentCopy(String folder, String file, String id, String servedFile) implements Damage {
    @Override
    public String sentence() {
      return "The file is a copy of the document \"" + id + "\", served from " + servedFile + ".";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("remove the copy if nobody needs it");
    }
  }

  /** A document has another dimension than the majority of its collection. */
  record DimensionMismatch(String folder, String file, String id, int expected, int actual)
      implements Damage {
    @Override
    public String sentence() {
      return "The document \""
          + id
          + "\" has a vector of dimension "
          + actual
          + ", its collection has "
          + expected
          + ".";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("add the document again with a vector that fits");
    }
  }

  /** A file we wrote, or know, is not there; its document is served from our other copy. */
  record DocumentMissing(String folder, String file, String id) implements Damage {
    @Override
    public String sentence() {
      return "The file of the document \"" + id + "\" is gone; its other copy is served.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.Rewrite();
    }
  }

  /** A file we know cannot be read any more; its document is served from our other copy. */
  record DocumentSpoiled(String folder, String file, String id, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The file of the document \""
          + id
          + "\" is damaged: "
          + reason
          + "; its other copy is served.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.Rewrite();
    }
  }

  /** Another program changed a document; its version is served, ours is kept. */
  record DocumentChanged(String folder, String file, String id) implements Damage {
    @Override
    public String sentence() {
      return "Another program changed the document \""
          + id
          + "\"; its version is served, ours is kept in the trash.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace(
          "nothing, or restore our version: GET /api/v1/admin/trash lists it");
    }
  }

  /** The metadata file is missing or wrong, and we know what belongs there. */
  record MetadataSpoiled(String folder, String file, String name, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The metadata file of the collection \""
          + name
          + "\" "
          + reason
          + "; it is served by what we know of it.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.Rewrite();
    }
  }

  /**
   * A folder lost its metadata file, and its own name proves the collection's: the documents are
   * served, the metadata that the collection itself had is not known.
   */
  record MetadataUnknown(String folder, String file, String name, String source, String reason)
      implements Damage {
    @Override
    public String sentence() {
      return "The metadata file %s; the folder's name proves that the collection is \"%s\" (%s), which is served; what metadata it had itself is not known."
          .formatted(reason, name, source);
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.Rewrite();
    }
  }

  /** Another program deleted a collection and created it anew; its old documents are kept. */
  record CollectionRecreated(String folder, String name, int documents) implements Damage {
    @Override
    public String sentence() {
      return "Another program created the collection \"%s\" anew; %d documents of the old one are kept in the trash."
          .formatted(name, documents);
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace(
          "nothing, or restore them: GET /api/v1/admin/trash lists them");
    }
  }

  /** A known collection's folder is there and cannot be listed: our copies are served. */
  record FolderUnreadable(String folder, String name, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The folder of the collection \"%s\" could not be opened, %s: what we have of it is served, nothing is written to it, and what other programs left there is not known."
          .formatted(name, reason);
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("make the folder readable for this user, then restart");
    }
  }

  /** The whole folder of a collection is gone, as after another program deleted it. */
  record CollectionVanished(String folder, String name, int documents) implements Damage {
    @Override
    public String sentence() {
      return "The folder of the collection \"%s\" is gone, as when another program deletes it; its %d documents are kept in the trash."
          .formatted(name, documents);
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("nothing, or restore it: GET /api/v1/admin/trash lists it");
    }
  }

  /** The second copy of some documents is damaged; the first is served. */
  record PackDamaged(String folder, String file, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The pack is damaged: " + reason + "; the documents' own files are served.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("nothing: it is built again from the documents' files");
    }
  }

  /** What we knew of the store is lost or damaged; the gob files speak for themselves. */
  record CatalogLost(String folder, String file, String reason) implements Damage {
    @Override
    public String sentence() {
      return "What we knew of the store cannot be read: "
          + reason
          + "; the documents' own files are served.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("nothing: it is built again from the documents' files");
    }
  }

  /** Writes that had been acknowledged cannot be read from the journal any more. */
  record JournalDamaged(String folder, String file, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The journal is damaged: " + reason + "; what follows them was applied.";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace(
          "write again what was written last; the damaged part is kept in the trash");
    }
  }

  /** A document's vector is absent, zero, or holds a value that is not finite. */
  record VectorUnusable(String folder, String file, String id, String reason) implements Damage {
    @Override
    public String sentence() {
      return "The document \"" + id + "\" cannot be searched: its vector " + reason + ".";
    }

    @Override
    public Loss loss() {
      return Loss.DOCUMENT;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("add the document again with a usable vector");
    }
  }

  /** Something could not be opened, which says nothing about its content. */
  record Inaccessible(String folder, String file, String reason, Loss loss) implements Damage {
    @Override
    public String sentence() {
      return "It could not be opened: " + reason + ".";
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("make it readable for this user, then restart");
    }
  }

  /** A document is served with text altered, because it holds bytes that are not UTF-8. */
  record TextNotUtf8(String folder, String file) implements Damage {
    @Override
    public String sentence() {
      return "A text in it is not UTF-8; it is served with U+FFFD in place of the bad bytes.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("write the text again as UTF-8");
    }
  }

  /** Bytes follow the value in a file, which is served; Go ignores them too. */
  record TrailingBytes(String folder, String file, int count) implements Damage {
    @Override
    public String sentence() {
      return count + " bytes follow the value; it is served without them.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("write the document or collection again");
    }
  }

  /** Something lies in the store that does not belong to it and hides nothing. */
  record Leftover(String folder, String file, String what) implements Damage {
    @Override
    public String sentence() {
      return "It is " + what + " and was passed over.";
    }

    @Override
    public Loss loss() {
      return Loss.NOTHING;
    }

    @Override
    public Repair repair() {
      return new Repair.LeaveInPlace("remove it if nobody needs it");
    }
  }
}
