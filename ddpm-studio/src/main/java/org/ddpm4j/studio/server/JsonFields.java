package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;

/** The fields of a request's body. What is wrong is refused with a sentence and 400. */
record JsonFields(JsonNode body) {

  /** Refuses fields that there are not. */
  JsonFields requireKnown(Set<String> names) {
    Set<String> unknown = new TreeSet<>();
    for (Iterator<String> found = body.fieldNames(); found.hasNext(); ) {
      unknown.add(found.next());
    }
    unknown.removeAll(names);
    if (!unknown.isEmpty()) {
      throw new Refusal(
          400,
          "There is no field %s; there are %s.",
          shortened(unknown.iterator().next()),
          String.join(", ", new TreeSet<>(names)));
    }
    return this;
  }

  private static String shortened(String name) {
    return name.length() <= 40 ? name : name.substring(0, 40) + "…";
  }

  boolean has(String name) {
    return body.hasNonNull(name);
  }

  long wholeNumber(String name, long otherwise, long least, long most) {
    return wholeNumber(name, least, most).orElse(otherwise);
  }

  OptionalLong wholeNumber(String name, long least, long most) {
    if (!has(name)) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(wholeNumber(name, body.get(name), least, most));
  }

  private static long wholeNumber(String name, JsonNode value, long least, long most) {
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < least
        || value.longValue() > most) {
      throw wrong(name, value, Text.format("a whole number from %d to %d", least, most));
    }
    return value.longValue();
  }

  /** Some whole numbers, or none where the field is missing. */
  List<Long> wholeNumbers(String name, int mostOfThem, long least, long most) {
    List<Long> numbers = new ArrayList<>();
    if (has(name)) {
      JsonNode array = body.get(name);
      if (!array.isArray() || array.isEmpty() || array.size() > mostOfThem) {
        throw wrong(name, array, Text.format("a list of 1 to %d numbers", mostOfThem));
      }
      array.forEach(value -> numbers.add(wholeNumber(name, value, least, most)));
    }
    return numbers;
  }

  OptionalDouble number(String name, double least, double most) {
    if (!has(name)) {
      return OptionalDouble.empty();
    }
    JsonNode value = body.get(name);
    if (!value.isNumber() || !(value.doubleValue() >= least && value.doubleValue() <= most)) {
      throw wrong(name, value, Text.format("a number from %s to %s", least, most));
    }
    return OptionalDouble.of(value.doubleValue());
  }

  Optional<String> text(String name, int longest) {
    if (!has(name)) {
      return Optional.empty();
    }
    JsonNode value = body.get(name);
    if (!value.isTextual() || value.textValue().isEmpty() || value.textValue().length() > longest) {
      throw wrong(name, value, Text.format("a text of 1 to %d characters", longest));
    }
    return Optional.of(value.textValue());
  }

  /** One of some values, by the word that each prints as. */
  <E> Optional<E> choice(String name, E[] values) {
    return text(name, 100)
        .map(
            word ->
                Arrays.stream(values)
                    .filter(value -> value.toString().equals(word))
                    .findAny()
                    .orElseThrow(
                        () ->
                            wrong(
                                name,
                                body.get(name),
                                Arrays.stream(values)
                                    .map(Object::toString)
                                    .collect(Collectors.joining(", ", "one of ", "")))));
  }

  /** True or, where the field is missing, false. */
  boolean flag(String name) {
    if (!has(name)) {
      return false;
    }
    if (!body.get(name).isBoolean()) {
      throw wrong(name, body.get(name), "true or false");
    }
    return body.get(name).booleanValue();
  }

  /** A value, as the text that a command line would have. */
  Optional<String> word(String name, int longest) {
    if (has(name) && body.get(name).isIntegralNumber()) {
      return Optional.of(Long.toString(wholeNumber(name, body.get(name), 0, Integer.MAX_VALUE)));
    }
    return text(name, longest);
  }

  private static Refusal wrong(String name, JsonNode value, String expected) {
    return new Refusal(
        400, "The field %s is %s; it must be %s.", name, StrictJson.quoted(value), expected);
  }
}
