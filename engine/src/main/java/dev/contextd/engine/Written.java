package dev.contextd.engine;

import java.util.List;

/**
 * The answer to a write.
 *
 * @param ids in the order of the documents, generated ones included
 * @param truncated the ids of documents whose text was longer than the model reads, so that the
 *     vector stands for its first part; the text itself is stored whole
 */
public record Written(List<String> ids, List<String> truncated) {
  public Written {
    ids = List.copyOf(ids);
    truncated = List.copyOf(truncated);
  }
}
