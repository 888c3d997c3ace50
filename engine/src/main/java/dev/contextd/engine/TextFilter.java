package dev.contextd.engine;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A condition on a document's content. */
public sealed interface TextFilter {

  boolean matches(String content);

  /** {@code $contains}: the text stands in it, letter for letter. */
  record Contains(String text) implements TextFilter {
    @Override
    public boolean matches(String content) {
      return TextSearch.contains(content, text);
    }
  }

  /** {@code $not_contains}. */
  record NotContains(String text) implements TextFilter {
    @Override
    public boolean matches(String content) {
      return !TextSearch.contains(content, text);
    }
  }

  /** {@code $and}; of nothing it matches everything. One inside another adds its parts to it. */
  record And(List<TextFilter> all) implements TextFilter {
    public And {
      all =
          all.stream()
              .flatMap(part -> part instanceof And and ? and.all().stream() : Stream.of(part))
              .collect(Collectors.toUnmodifiableList());
    }

    @Override
    public boolean matches(String content) {
      return all.stream().allMatch(filter -> filter.matches(content));
    }
  }

  /** {@code $or}; of nothing it matches nothing. */
  record Or(List<TextFilter> any) implements TextFilter {
    public Or {
      any = List.copyOf(any);
    }

    @Override
    public boolean matches(String content) {
      return any.stream().anyMatch(filter -> filter.matches(content));
    }
  }
}
