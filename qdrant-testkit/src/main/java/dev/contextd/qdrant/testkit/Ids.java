package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.Common.PointId;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Point ids in their canonical form: lower case with hyphens, so that text order is id order. */
final class Ids {
  private static final Pattern HYPHENATED =
      Pattern.compile("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}");
  private static final Pattern SIMPLE = Pattern.compile("\\p{XDigit}{32}");

  private Ids() {}

  static String canonical(PointId id) {
    return switch (id.getPointIdOptionsCase()) {
      case UUID -> canonical(id.getUuid());
      case NUM -> throw Refusals.notFaked("numbers as point ids");
      case POINTIDOPTIONS_NOT_SET -> throw Refusals.missing("the point id");
    };
  }

  static List<String> canonical(List<PointId> ids) {
    return ids.stream().map(Ids::canonical).toList();
  }

  static String canonical(String text) {
    if (HYPHENATED.matcher(text).matches()) {
      return text.toLowerCase(Locale.ROOT);
    }
    if (SIMPLE.matcher(text).matches()) {
      return canonical(
          String.join(
              "-",
              text.substring(0, 8),
              text.substring(8, 12),
              text.substring(12, 16),
              text.substring(16, 20),
              text.substring(20)));
    }
    throw Refusals.noUuid(text);
  }

  static PointId id(String uuid) {
    return PointId.newBuilder().setUuid(uuid).build();
  }
}
