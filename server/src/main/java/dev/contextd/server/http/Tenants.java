package dev.contextd.server.http;

import dev.contextd.engine.Scope;
import io.javalin.http.Context;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The scope of a call, from its headers: {@code X-Tenant-Id}, and optionally {@code X-Team-Id} and
 * {@code X-Project-Id}, confine it to the documents stamped with them.
 */
final class Tenants {
  private static final int MAX_BYTES = 512;

  /** Header to metadata field, the tenant first. */
  private static final Map<String, String> FIELDS = fields();

  private final boolean required;

  /**
   * @param required whether a call without a tenant is refused ({@code isolation: payload})
   */
  Tenants(boolean required) {
    this.required = required;
  }

  private static Map<String, String> fields() {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("X-Tenant-Id", "tenant_id");
    fields.put("X-Team-Id", "team_id");
    fields.put("X-Project-Id", "project_id");
    return fields;
  }

  boolean isRequired() {
    return required;
  }

  /** The scope of a call to the data API. */
  Scope scope(Context call) {
    Scope scope = scopeIfAny(call);
    if (required && scope.isAll()) {
      throw new ProblemException(
          ProblemCode.TENANT_REQUIRED,
          "vectorstore.isolation is payload, so every call names its tenant");
    }
    return scope;
  }

  /**
   * Refuses names that a caller's tenant sets, in what the engine does not know to be a tenant's.
   */
  static void refuseReserved(Scope scope, Set<String> names, String where) {
    for (String name : names) {
      if (scope.reserved().contains(name)) {
        throw new ProblemException(
            ProblemCode.FORBIDDEN, where + "." + name + " is set from the caller's tenant");
      }
    }
  }

  /** Refuses a tenant's call to what concerns the whole store. */
  void refuse(Context call) {
    for (String header : FIELDS.keySet()) {
      if (call.req().getHeader(header) != null) {
        throw new ProblemException(
            ProblemCode.FORBIDDEN,
            header + " is there, and this call concerns the whole store, not one tenant");
      }
    }
  }

  /** The scope of a call that needs no tenant; everything where it names none. */
  Scope scopeIfAny(Context call) {
    Map<String, String> stamps = new LinkedHashMap<>();
    FIELDS.forEach((header, field) -> {
      List<String> values = Collections.list(call.req().getHeaders(header));
      if (values.size() > 1) {
        // One of them may be a proxy's and the other forged, and which is which nobody knows.
        throw new ProblemException(
            ProblemCode.INVALID_ARGUMENT, header + " is there " + values.size() + " times");
      }
      values.forEach(value -> stamps.put(field, checked(header, utf8(header, value))));
    });
    if (!stamps.isEmpty() && !stamps.containsKey("tenant_id")) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT, "X-Team-Id and X-Project-Id need X-Tenant-Id beside them");
    }
    return stamps.isEmpty() ? Scope.ALL : new Scope(stamps, Set.copyOf(FIELDS.values()));
  }

  /** Jetty reads the bytes of a header as ISO 8859-1; names are UTF-8, as metadata are. */
  private static String utf8(String header, String latin1) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(latin1.getBytes(StandardCharsets.ISO_8859_1)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new ProblemException(ProblemCode.INVALID_ARGUMENT, header + " is not UTF-8");
    }
  }

  private static String checked(String header, String value) {
    boolean fits =
        !value.isBlank()
            && value.getBytes(StandardCharsets.UTF_8).length <= MAX_BYTES
            && value.chars().noneMatch(Character::isISOControl);
    if (!fits) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT,
          header + " must be 1 to " + MAX_BYTES + " bytes without control characters");
    }
    return value;
  }
}
