package org.ddpm4j.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The fields of a configuration as diffusers writes them, each with its default where the file has
 * none. What a field must be is checked when it is asked for; an {@link IllegalArgumentException}
 * then says what it is and what it must be.
 */
public final class DiffusersFields {

  /** The release whose keys these are. */
  public static final String VERSION = "0.42.1";

  /** The key of the class that a file describes. */
  public static final String CLASS_NAME = "_class_name";

  /** The key of the list of keys whose values are defaults. */
  public static final String USE_DEFAULT_VALUES = "_use_default_values";

  private final String opening;
  private final Map<String, JsonNode> values;

  /**
   * The fields of a file.
   *
   * @param opening how messages begin, for example {@code "This U-Net cannot be built: "}
   * @param values all fields that will be asked for, in their order
   */
  public DiffusersFields(String opening, Map<String, JsonNode> values) {
    Objects.requireNonNull(opening, "opening");
    Objects.requireNonNull(values, "values");
    this.opening = opening;
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /**
   * A map that keeps its order.
   *
   * @param <V> what the names stand for
   * @param entries of {@link Map#entry}
   * @return the map, unmodifiable
   */
  @SafeVarargs
  public static <V> Map<String, V> names(Map.Entry<String, V>... entries) {
    Map<String, V> map = new LinkedHashMap<>();
    for (Map.Entry<String, V> entry : entries) {
      map.put(entry.getKey(), entry.getValue());
    }
    return Collections.unmodifiableMap(map);
  }

  /**
   * The first name of a value.
   *
   * @param <V> what the names stand for
   * @param value the value
   * @param names of {@link #names}
   * @return its name
   * @throws IllegalArgumentException if it has none
   */
  public static <V> String nameOf(V value, Map<String, V> names) {
    return names.entrySet().stream()
        .filter(entry -> entry.getValue() == value)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    Text.format(
                        "diffusers has no name for %s; choose one of %s.", value, names.values())));
  }

  /**
   * The keys whose values do not count, since they are the release's defaults.
   *
   * @param json the file
   * @return what {@code _use_default_values} lists
   */
  public static Set<String> unset(JsonNode json) {
    Set<String> unset = new HashSet<>();
    json.path(USE_DEFAULT_VALUES).forEach(name -> unset.add(name.asText()));
    return unset;
  }

  /**
   * Checks a key that nobody here knows. Releases come and go with keys; one that is off asks for
   * nothing, and one that starts with an underscore does not matter.
   *
   * @param opening how messages begin
   * @param key the key
   * @param value its value
   * @param dependent what would depend on it, {@code the network} for example
   * @param known which keys there are, a clause
   * @throws IllegalArgumentException if it asks for something
   */
  public static void checkUnknown(
      String opening, String key, JsonNode value, String dependent, String known) {
    boolean isOff =
        value.isNull()
            || (value.isBoolean() && !value.booleanValue())
            || (value.isArray() && value.isEmpty());
    if (!key.startsWith("_") && !isOff) {
      throw new IllegalArgumentException(
          Text.format(
              "%s%s is %s, a key that is not known here; leave it out if %s not depend on it. %s.",
              opening, key, StrictJson.quoted(value), dependent, known));
    }
  }

  /**
   * Reads a file as diffusers does: a missing key, or one that {@code _use_default_values} names,
   * has its default. Unlike there, a key that is not known is refused if it asks for anything, and
   * one that {@code _use_default_values} names if it has another value: who changed a value by hand
   * did not mean the default.
   *
   * @param <T> what is read; two are equal if they mean the same
   * @param opening how messages begin
   * @param json the file
   * @param defaults all known keys with their defaults
   * @param passedOver keys that may be there and do not matter
   * @param dependent what would depend on an unknown key, a clause such as {@code the network does}
   * @param build makes it of the fields
   * @return what the file says
   * @throws IllegalArgumentException if it says nothing that can be built
   */
  public static <T> T read(
      String opening,
      JsonNode json,
      ObjectNode defaults,
      Set<String> passedOver,
      String dependent,
      Function<DiffusersFields, T> build) {
    Objects.requireNonNull(opening, "opening");
    Objects.requireNonNull(json, "json");
    Objects.requireNonNull(defaults, "defaults");
    Objects.requireNonNull(passedOver, "passedOver");
    Objects.requireNonNull(dependent, "dependent");
    Objects.requireNonNull(build, "build");
    if (!(json instanceof ObjectNode)) {
      throw new IllegalArgumentException(
          Text.format(
              "%sits configuration is %s; it must be an object.",
              opening, StrictJson.quoted(json)));
    }
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    defaults.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
    Set<String> unset = unset(json);
    json.properties()
        .forEach(
            field -> {
              if (fields.containsKey(field.getKey())) {
                if (!unset.contains(field.getKey())) {
                  fields.put(field.getKey(), field.getValue());
                }
              } else if (!passedOver.contains(field.getKey())) {
                checkUnknown(opening, field.getKey(), field.getValue(), dependent, known(defaults));
              }
            });
    T read = build.apply(new DiffusersFields(opening, fields));
    for (String key : unset) {
      if (json.has(key) && fields.containsKey(key)) {
        Map<String, JsonNode> asWritten = new LinkedHashMap<>(fields);
        asWritten.put(key, json.get(key));
        if (!build.apply(new DiffusersFields(opening, asWritten)).equals(read)) {
          throw new IllegalArgumentException(
              Text.format(
                  "%s%s is %s, but %s says that it has its default, %s; take it out of that list, or leave the key out.",
                  opening,
                  key,
                  StrictJson.quoted(json.get(key)),
                  USE_DEFAULT_VALUES,
                  StrictJson.quoted(fields.get(key))));
        }
      }
    }
    return read;
  }

  private static String known(ObjectNode defaults) {
    List<String> names = new ArrayList<>();
    defaults.fieldNames().forEachRemaining(names::add);
    names.removeIf(name -> name.startsWith("_"));
    return "The keys are " + String.join(", ", names);
  }

  /**
   * A field as it is.
   *
   * @param key a known key
   * @return its value
   */
  public JsonNode get(String key) {
    return values.get(key);
  }

  /**
   * Whether a field is null.
   *
   * @param key a known key
   * @return true if it is
   */
  public boolean isNull(String key) {
    return get(key).isNull();
  }

  /**
   * A whole number.
   *
   * @param key a known key
   * @return the number
   */
  public int integer(String key) {
    return integer(key, get(key));
  }

  /**
   * A whole number, or none.
   *
   * @param key a known key
   * @return the number; null if the field is null
   */
  public Integer integerOrNull(String key) {
    return isNull(key) ? null : (Integer) integer(key);
  }

  /**
   * A whole number that is a part of a field.
   *
   * @param what for messages
   * @param value the part
   * @return the number
   */
  public int integer(String what, JsonNode value) {
    require(
        value.isNumber() && value.doubleValue() == (int) value.doubleValue(),
        what,
        value,
        "it must be a whole number within 32 bits");
    return (int) value.doubleValue();
  }

  /**
   * A number.
   *
   * @param key a known key
   * @return the number, infinite where the file's JSON allows that
   */
  public double number(String key) {
    require(get(key).isNumber(), key, get(key), "it must be a number");
    return get(key).doubleValue();
  }

  /**
   * A finite number.
   *
   * @param key a known key
   * @return the number
   */
  public double finiteNumber(String key) {
    return finiteNumber(key, get(key));
  }

  /**
   * A finite number that is a part of a field.
   *
   * @param what for messages
   * @param value the part
   * @return the number
   */
  public double finiteNumber(String what, JsonNode value) {
    require(
        value.isNumber() && Double.isFinite(value.doubleValue()),
        what,
        value,
        "it must be a finite number");
    return value.doubleValue();
  }

  /**
   * True or false.
   *
   * @param key a known key
   * @return the value
   */
  public boolean flag(String key) {
    require(get(key).isBoolean(), key, get(key), "it must be true or false");
    return get(key).booleanValue();
  }

  /**
   * True or false, where null is false as in Python.
   *
   * @param key a known key
   * @return the value
   */
  public boolean flagOrNull(String key) {
    return !isNull(key) && flag(key);
  }

  /**
   * A list.
   *
   * @param key a known key
   * @return its entries
   */
  public List<JsonNode> list(String key) {
    require(get(key).isArray(), key, get(key), "it must be a list");
    List<JsonNode> entries = new ArrayList<>();
    get(key).forEach(entries::add);
    return entries;
  }

  /**
   * What a name stands for.
   *
   * @param <V> what names stand for
   * @param key a known key
   * @param supported of {@link #names}
   * @return the value
   */
  public <V> V choice(String key, Map<String, V> supported) {
    return choice(key, get(key), supported);
  }

  /**
   * What a name that is a part of a field stands for.
   *
   * @param <V> what names stand for
   * @param what for messages
   * @param name the part
   * @param supported of {@link #names}
   * @return the value
   */
  public <V> V choice(String what, JsonNode name, Map<String, V> supported) {
    V value = name.isTextual() ? supported.get(name.textValue()) : null;
    require(
        value != null,
        what,
        name,
        Text.format(
            "supported %s %s", supported.size() == 1 ? "is" : "are", quoted(supported.keySet())));
    return value;
  }

  private static String quoted(Collection<String> names) {
    return names.stream().map(one -> '"' + one + '"').collect(Collectors.joining(", "));
  }

  private void require(boolean condition, String what, JsonNode value, String expectation) {
    if (!condition) {
      throw new IllegalArgumentException(
          Text.format("%s%s is %s; %s.", opening, what, StrictJson.quoted(value), expectation));
    }
  }
}
