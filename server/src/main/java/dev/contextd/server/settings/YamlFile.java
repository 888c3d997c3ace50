package dev.contextd.server.settings;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** A {@code config.yaml} as its keys' paths and values, each with the line it stands on. */
final class YamlFile {
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 16;

  /** What has no use here may go deeper. */
  private static final int MAX_NESTING = 64;

  private final Path file;
  private final Map<Key, Value> values = new LinkedHashMap<>();
  private final TreeSet<String> passedOver = new TreeSet<>();

  /** A value and the line it stands on, from 1. */
  record Value(String text, int line) {}

  private YamlFile(Path file) {
    this.file = file;
  }

  static YamlFile read(Path file) throws SettingsException {
    YamlFile yaml = new YamlFile(file);
    try {
      Optional<String> content = SmallFile.text(file, MAX_BYTES);
      if (content.isEmpty()) {
        throw new SettingsException(file + " is larger than 1 MiB, which no configuration is");
      }
      LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).build();
      yaml.requireShallow(new Parse(settings).parseString(content.get()));
      new Compose(settings)
          .composeString(content.get())
          .filter(node -> !node.getTag().equals(Tag.NULL))
          .ifPresent(node -> yaml.collectRoot(node));
    } catch (CharacterCodingException e) {
      throw new SettingsException(file + " is not UTF-8");
    } catch (IOException e) {
      throw new SettingsException(file + " cannot be read: " + e.getMessage());
    } catch (MarkedYamlEngineException e) {
      throw new SettingsException(
          "%s:%d: not valid YAML: %s"
              .formatted(
                  file,
                  e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1),
                  e.getProblem()));
    } catch (YamlEngineException e) {
      throw new SettingsException(file + ": not valid YAML: " + e.getMessage());
    } catch (Refused e) {
      throw new SettingsException(String.valueOf(e.getMessage()));
    }
    return yaml;
  }

  /** Composing takes a call within a call for each level. */
  private void requireShallow(Iterable<Event> events) {
    int depth = 0;
    for (Event event : events) {
      switch (event.getEventId()) {
        case MappingStart, SequenceStart -> depth++;
        case MappingEnd, SequenceEnd -> depth--;
        default -> {}
      }
      if (depth > MAX_NESTING) {
        throw refused(event.getStartMark(), "nested deeper than any configuration");
      }
    }
  }

  Optional<Value> value(Key key) {
    return Optional.ofNullable(values.get(key));
  }

  /** Sections and keys that stand in the file and have no use here. */
  List<String> passedOver() {
    return List.copyOf(passedOver);
  }

  /** Carries a refusal out of the walk. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }

  private void collectRoot(Node root) {
    collect("", root, 0);
  }

  private void collect(String path, Node node, int depth) {
    if (!(node instanceof MappingNode mapping) || depth > MAX_DEPTH) {
      throw refused(node, (path.isEmpty() ? "the file" : path) + " must be a list of keys");
    }
    TreeSet<String> seen = new TreeSet<>();
    for (NodeTuple tuple : mapping.getValue()) {
      String name = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "(a key)";
      String full = path.isEmpty() ? name : path + "." + name;
      if (!seen.add(name)) {
        throw refused(tuple.getKeyNode(), "the key " + full + " stands twice");
      }
      collectKey(full, tuple, depth);
    }
  }

  private void collectKey(String path, NodeTuple tuple, int depth) {
    if (Key.PASSED_OVER.contains(path)) {
      passedOver.add(path);
      return;
    }
    Optional<Key> key = Settings.keyOf(path);
    Node value = tuple.getValueNode();
    if (key.isPresent()) {
      collectValue(key.get(), value);
    } else if (Settings.isSection(path)) {
      if (!value.getTag().equals(Tag.NULL)) {
        collect(path, value, depth + 1);
      }
    } else {
      throw refused(tuple.getKeyNode(), "nobody knows the key " + path + suggestion(path));
    }
  }

  private void collectValue(Key key, Node value) {
    switch (value) {
      case ScalarNode scalar -> {
        if (!scalar.getTag().equals(Tag.NULL)) {
          values.put(key, new Value(scalar.getValue(), line(value.getStartMark())));
        }
      }
      case SequenceNode _, MappingNode _ ->
          throw refused(value, key.path() + " must be a single value");
      default -> throw refused(value, key.path() + " must be a single value");
    }
    if (!key.isUsed()) {
      passedOver.add(key.path());
    }
  }

  private Refused refused(Node node, String message) {
    return refused(node.getStartMark(), message);
  }

  private Refused refused(Optional<Mark> where, String message) {
    return new Refused("%s:%d: %s".formatted(file, line(where), message));
  }

  private static int line(Optional<Mark> where) {
    return where.map(Mark::getLine).orElse(0) + 1;
  }

  /** The keys that are known where this one stands. */
  private static String suggestion(String path) {
    int dot = path.lastIndexOf('.');
    String section = path.substring(0, dot + 1);
    List<String> siblings =
        Arrays.stream(Key.values())
            .map(Key::path)
            .filter(known -> known.startsWith(section) && !known.isEmpty())
            .toList();
    return siblings.isEmpty() || section.isEmpty()
        ? ""
        : "; known here: " + String.join(", ", siblings);
  }
}
