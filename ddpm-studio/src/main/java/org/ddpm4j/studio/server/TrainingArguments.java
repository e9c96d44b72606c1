package org.ddpm4j.studio.server;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.ddpm4j.diffusion.config.ScheduleType;

/** What a client says of a training, as the options of {@code ddpm train}. */
final class TrainingArguments {

  static final int MOST_MINUTES = 7 * 24 * 60;

  /** All that a client may say; what name and dataset become is the business of {@link Runs}. */
  static final Set<String> FIELDS =
      Set.of(
          "name",
          "dataset",
          "minutes",
          "steps",
          "batch_size",
          "learning_rate",
          "schedule",
          "timesteps",
          "image_size",
          "evaluate_every",
          "class_conditional",
          "seed");

  private static final int DEFAULT_MINUTES = 5;
  private static final int MOST_STEPS = 100_000_000;

  private final JsonFields fields;
  private final List<String> arguments = new ArrayList<>();

  private TrainingArguments(JsonFields fields) {
    this.fields = fields;
  }

  /** Names and values, such as the program is told. */
  static List<String> of(JsonFields fields) {
    TrainingArguments all = new TrainingArguments(fields);
    all.addLength();
    all.addWholeNumber("batch_size", 1, 4096);
    fields.number("learning_rate", 1e-9, 1).ifPresent(rate -> all.add("--learning-rate", rate));
    all.addWholeNumber("seed", 0, Long.MAX_VALUE);
    fields.choice("schedule", schedules()).ifPresent(name -> all.add("--schedule", name));
    all.addWholeNumber("timesteps", 2, Schedules.MOST_TIMESTEPS);
    all.addWholeNumber("image_size", 8, 256);
    all.addWholeNumber("evaluate_every", 1, MOST_STEPS);
    if (fields.flag("class_conditional")) {
      all.arguments.add("--class-conditional");
    }
    return List.copyOf(all.arguments);
  }

  /** Without steps the program measures the machine and plans a training of so many minutes. */
  private void addLength() {
    double minutes = fields.number("minutes", 0, MOST_MINUTES).orElse(DEFAULT_MINUTES);
    OptionalLong steps = fields.wholeNumber("steps", 1, MOST_STEPS);
    if (steps.isPresent()) {
      add("--steps", steps.getAsLong());
      add("--time-limit", minutes);
    } else {
      add("--minutes", minutes);
    }
  }

  /** The field's option has its name, with hyphens. */
  private void addWholeNumber(String field, long least, long most) {
    fields
        .wholeNumber(field, least, most)
        .ifPresent(number -> add("--" + field.replace('_', '-'), number));
  }

  private void add(String option, Object value) {
    arguments.add(option);
    arguments.add(value.toString());
  }

  private static String[] schedules() {
    return Arrays.stream(ScheduleType.values()).map(OpenApi::spelling).toArray(String[]::new);
  }
}
