package org.ddpm4j.examples.serving;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;

/**
 * What a client asks for, as in {@code count=4&seed=7&steps=20&sampler=dpm++}.
 *
 * @param count of images, 1 to {@link #MAX_COUNT}; 16 if not said
 * @param seed of the noise; 0 if not said
 * @param steps of the sampler, 1 to {@link #MAX_STEPS}; 10 if not said
 * @param sampler which one; UniPC if not said
 * @param className of the class to draw, as {@link org.ddpm4j.diffusion.ClassNames} finds it; all
 *     in turn if not said
 */
record SampleRequest(
    int count, long seed, int steps, SamplerType sampler, Optional<String> className) {

  static final int MAX_COUNT = 64;
  static final int MAX_STEPS = 1000;

  private static final Set<String> NAMES = Set.of("count", "seed", "steps", "sampler", "class");

  /**
   * Reads the query of an address.
   *
   * @param query decoded, or null if there is none
   * @throws IllegalArgumentException with a sentence for the client
   */
  static SampleRequest parse(String query) {
    Map<String, String> values = new HashMap<>();
    for (String part : query == null || query.isEmpty() ? new String[0] : query.split("&")) {
      int equals = part.indexOf('=');
      String name = equals < 0 ? part : part.substring(0, equals);
      if (!NAMES.contains(name)) {
        throw new IllegalArgumentException(
            "A parameter is unknown; there are count, seed, steps, sampler and class.");
      }
      if (values.put(name, equals < 0 ? "" : part.substring(equals + 1)) != null) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "The parameter %s is given twice; give it once.", name));
      }
    }
    return new SampleRequest(
        (int) number(values, "count", 16, 1, MAX_COUNT),
        number(values, "seed", 0, Long.MIN_VALUE, Long.MAX_VALUE),
        (int) number(values, "steps", 10, 1, MAX_STEPS),
        sampler(values.getOrDefault("sampler", SamplerType.UNIPC.toString())),
        Optional.ofNullable(values.get("class")));
  }

  /**
   * Draws what is asked for.
   *
   * @param model that draws
   * @throws IllegalArgumentException with a sentence for the client
   */
  DiffusionPipeline pipeline(DiffusionModel model) {
    DiffusionPipeline pipeline = model.pipeline(sampler, steps);
    if (className.isEmpty()) {
      return pipeline;
    }
    if (!model.isClassConditional()) {
      throw new IllegalArgumentException(
          "The model knows no classes; leave out the parameter class.");
    }
    int row = model.classes().find(className.get());
    return pipeline.withClassOf(image -> row);
  }

  private static long number(
      Map<String, String> values, String name, long otherwise, long least, long most) {
    String text = values.get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      long number = Long.parseLong(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below, as for a number out of range.
    }
    throw new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "The parameter %s must be a whole number from %d to %d.",
            name,
            least,
            most));
  }

  private static SamplerType sampler(String label) {
    return Arrays.stream(SamplerType.values())
        .filter(type -> type.toString().equals(label))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "The parameter sampler must be one of %s.",
                        Arrays.stream(SamplerType.values())
                            .map(SamplerType::toString)
                            .collect(Collectors.joining(", ")))));
  }
}
