package org.ddpm4j.studio.server;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.ddpm4j.io.Text;

/**
 * The parameters behind the question mark of an address. What is wrong is refused with 400.
 *
 * @param values by their names, each once
 */
record QueryFields(Map<String, String> values) {

  private static final int LONGEST = 40;

  static QueryFields of(HttpServerRequest request) {
    Map<String, String> values = new TreeMap<>();
    parameters(request)
        .forEach(
            (name, value) -> {
              if (values.put(name, value) != null) {
                throw new Refusal(400, "A parameter is given twice; give each once.");
              }
            });
    return new QueryFields(values);
  }

  private static MultiMap parameters(HttpServerRequest request) {
    try {
      return request.params();
    } catch (IllegalArgumentException e) {
      throw new Refusal(
          400, "The query has a percent sign without two hexadecimal digits; write %25 for it.");
    }
  }

  QueryFields requireKnown(Set<String> names) {
    if (!names.containsAll(values.keySet())) {
      throw new Refusal(
          400, "There are no other parameters than %s.", String.join(", ", new TreeSet<>(names)));
    }
    return this;
  }

  int wholeNumber(String name, int otherwise, int least, int most) {
    String text = values.get(name);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("\\d{1,9}")
        || Integer.parseInt(text) < least
        || Integer.parseInt(text) > most) {
      throw wrong(name, Text.format("a whole number from %d to %d", least, most));
    }
    return Integer.parseInt(text);
  }

  Optional<Double> number(String name, double least, double most) {
    String text = values.get(name);
    if (text == null) {
      return Optional.empty();
    }
    try {
      double value = text.length() > LONGEST ? Double.NaN : Double.parseDouble(text);
      if (value >= least && value <= most) {
        return Optional.of(value);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw wrong(name, Text.format("a number from %s to %s", least, most));
  }

  boolean flag(String name) {
    String text = values.getOrDefault(name, "false");
    if (!text.equals("true") && !text.equals("false")) {
      throw wrong(name, "true or false");
    }
    return text.equals("true");
  }

  private static Refusal wrong(String name, String expected) {
    return new Refusal(400, "The parameter %s must be %s.", name, expected);
  }
}
