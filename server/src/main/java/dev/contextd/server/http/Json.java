package dev.contextd.server.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Strict JSON: unknown and repeated keys, trailing tokens, numbers for strings and strings for
 * numbers are refused, each with its place.
 */
final class Json {
  private static final int MAX_NESTING = 64;
  private static final int JUDGED_CHARACTERS = 8 << 10;
  private static final Pattern PARSER_HINT =
      Pattern.compile(
          "(: enable `|[ :(,]+(from )?`StreamReadConstraints|: maybe a \\(non-standard).*");

  static final ObjectMapper MAPPER = mapper();

  private Json() {}

  private static ObjectMapper mapper() {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_NESTING)
                    .maxStringLength(Bodies.MAX_BYTES)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    JsonMapper mapper =
        JsonMapper.builder(factory)
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .addModule(new SimpleModule().addDeserializer(float[].class, new Vector()))
            .build();
    var text = mapper.coercionConfigFor(LogicalType.Textual);
    text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
    text.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
    text.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
    return mapper;
  }

  static <T> T read(byte[] body, Class<T> type) {
    try (JsonParser json = MAPPER.createParser(strictUtf8(body))) {
      T value = MAPPER.readValue(json, type);
      if (json.nextToken() != null) {
        throw new ProblemException(
            ProblemCode.MALFORMED_JSON, "more follows the JSON value that is the body");
      }
      if (value == null) {
        throw new ProblemException(ProblemCode.MALFORMED_JSON, "the body is null");
      }
      return value;
    } catch (UnrecognizedPropertyException e) {
      throw new ProblemException(
          ProblemCode.MALFORMED_JSON,
          "%s is not known here; known are %s".formatted(place(e), e.getKnownPropertyIds()));
    } catch (MismatchedInputException e) {
      throw new ProblemException(
          ProblemCode.MALFORMED_JSON, place(e) + ": expected " + describe(e.getTargetType()));
    } catch (JsonMappingException e) {
      throw new ProblemException(
          ProblemCode.MALFORMED_JSON, place(e) + ": " + withoutHints(e.getOriginalMessage()));
    } catch (JsonProcessingException e) {
      throw new ProblemException(
          ProblemCode.MALFORMED_JSON,
          "%s (line %d, column %d)"
              .formatted(
                  withoutHints(e.getOriginalMessage()),
                  e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
                  e.getLocation() == null ? 0 : e.getLocation().getColumnNr()));
    } catch (IOException e) {
      throw new IllegalStateException("a text in memory is always read", e);
    }
  }

  /** What went wrong, without the parser's advice on how to make it less strict. */
  private static String withoutHints(String message) {
    return PARSER_HINT.matcher(message).replaceFirst("");
  }

  private static String describe(@Nullable Class<?> type) {
    if (type == String.class) {
      return "a string";
    }
    if (type == Integer.class || type == int.class) {
      return "a whole number";
    }
    if (type == float[].class) {
      return "a list of numbers";
    }
    return type != null && Collection.class.isAssignableFrom(type) ? "a list" : "an object";
  }

  /** A JSON parser takes overlong sequences and guesses at UTF-16; this takes UTF-8 alone. */
  private static String strictUtf8(byte[] body) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT);
    ByteBuffer bytes = ByteBuffer.wrap(body);
    CharBuffer judged = CharBuffer.allocate(JUDGED_CHARACTERS);
    CoderResult result;
    do { // In pieces, because the whole as characters would be twice the body's size.
      result = decoder.decode(bytes, judged.clear(), true);
    } while (result.isOverflow());
    if (result.isError()) {
      throw new ProblemException(ProblemCode.MALFORMED_JSON, "the body is not valid UTF-8");
    }
    return new String(body, StandardCharsets.UTF_8);
  }

  /** A vector is a list of numbers; Jackson alone would also take base64. */
  private static final class Vector extends StdDeserializer<float[]> {
    private static final long serialVersionUID = 1L;
    private static final int USUAL_DIMENSION = 384;

    Vector() {
      super(float[].class);
    }

    @Override
    public float[] deserialize(JsonParser json, DeserializationContext context) throws IOException {
      if (!json.isExpectedStartArrayToken()) {
        context.reportInputMismatch(float[].class, "expected a list of numbers");
      }
      float[] values = new float[USUAL_DIMENSION];
      int count = 0;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (!json.currentToken().isNumeric()) {
          throw JsonMappingException.wrapWithPath(
              JsonMappingException.from(json, "expected a number, found " + json.currentToken()),
              values,
              count);
        }
        if (count == values.length) {
          values = Arrays.copyOf(values, count * 2);
        }
        values[count++] = json.getFloatValue();
      }
      return Arrays.copyOf(values, count);
    }
  }

  /** Where in the body it is: {@code documents[3].embedding[2]}. */
  private static String place(JsonMappingException e) {
    StringBuilder place = new StringBuilder();
    for (JsonMappingException.Reference step : e.getPath()) {
      if (step.getFieldName() == null) {
        place.append('[').append(step.getIndex()).append(']');
      } else {
        place.append(place.isEmpty() ? "" : ".").append(step.getFieldName());
      }
    }
    return place.isEmpty() ? "the body" : place.toString();
  }
}
