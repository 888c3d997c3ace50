package dev.contextd.engine;

import java.util.List;

/** A collection on a remote store, of which some documents may be hidden from whoever reads. */
public interface RemoteCollection extends VectorCollection {

  /** The ids of the documents that match, in no particular order. */
  List<String> matching(Filter where);
}
