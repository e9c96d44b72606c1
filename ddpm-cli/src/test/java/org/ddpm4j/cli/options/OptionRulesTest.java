package org.ddpm4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.Main;
import org.ddpm4j.cli.options.OptionRules.Rule;
import org.ddpm4j.cli.terminal.Console;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Each option of each command has an effect, or is refused. An option that is new has {@link
 * HasEffect}, or a place in the list of those that always have an effect.
 */
class OptionRulesTest {

  /** Whatever the other options and files are. */
  private static final Set<String> ALWAYS =
      Set.of(
          "--accumulate",
          "--allow-host",
          "--batch-size",
          "--batches",
          "--beta1",
          "--beta2",
          "--cache",
          "--cards",
          "--checkpoint-every",
          "--class",
          "--class-conditional",
          "--clip",
          "--color-jitter",
          "--connections",
          "--cores",
          "--count",
          "--crop",
          "--data",
          "--dataset",
          "--decay",
          "--devices",
          "--distances",
          "--doctor",
          "--dry-run",
          "--ema-decay",
          "--executors",
          "--evaluate-every",
          "--flip",
          "--format",
          "--from",
          "--grace",
          "--gradients",
          "--host",
          "--image",
          "--image-size",
          "--images",
          "--inception",
          "--input",
          "--iterations",
          "--layers",
          "--learning-rate",
          "--mask",
          "--mask-box",
          "--max-gradient-norm",
          "--max-images",
          "--master",
          "--model",
          "--noise",
          "--normalization",
          "--offline",
          "--offset-noise",
          "--output",
          "--overhead",
          "--per-class",
          "--points",
          "--port",
          "--precision",
          "--queue",
          "--report-every",
          "--resamplings",
          "--run",
          "--runs",
          "--sample-every",
          "--sample-steps",
          "--sampler",
          "--samplers",
          "--scale",
          "--scaling",
          "--seconds",
          "--seed",
          "--seeds",
          "--steps",
          "--strength",
          "--time-limit",
          "--timeout",
          "--timesteps",
          "--to",
          "--token-file",
          "--type",
          "--validation-images",
          "--variant",
          "--warmup",
          "--weights");

  /** Of every command. */
  private static final Set<String> INHERITED =
      Set.of("--help", "--help-all", "--version", "--verbose");

  /** What commands cannot do without. */
  private static final Map<String, Map<String, String>> REQUIRED =
      Map.of(
          "predict", Map.of("--model", "m", "--input", "i", "--output", "o"),
          "convert", Map.of("--model", "m", "--to", "run", "--output", "o"),
          "info", Map.of("--run", "r"),
          "bench", Map.of("", "sample"),
          "lesson", Map.of("", "a"),
          "spark", Map.of("", "submit-args"));

  private static Collection<CommandLine> commands() {
    Console console =
        new Console(
            OutputStream.nullOutputStream(),
            new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
            OptionalInt.empty());
    return Main.commandLine(console).getSubcommands().values().stream()
        .filter(command -> !(command.getCommand() instanceof CommandLine.HelpCommand))
        .toList();
  }

  private static Stream<OptionSpec> options(CommandSpec command) {
    return command.options().stream().filter(option -> !INHERITED.contains(option.longestName()));
  }

  private static Optional<Rule> rule(OptionSpec option, CommandSpec command) {
    return OptionRules.of(command).stream()
        .filter(rule -> rule.names().contains(option.longestName()))
        .findFirst();
  }

  @Test
  void everyOptionOfEveryCommandIsCovered() {
    Set<String> forgotten = new TreeSet<>();
    Set<String> unconditional = new TreeSet<>();
    for (CommandLine command : commands()) {
      CommandSpec spec = command.getCommandSpec();
      options(spec)
          .forEach(
              option -> {
                Optional<Rule> rule = rule(option, spec);
                assertThat(rule).as(option.longestName()).isPresent();
                if (rule.get().all().isEmpty()) {
                  unconditional.add(option.longestName());
                  if (!ALWAYS.contains(option.longestName())) {
                    forgotten.add(spec.name() + " " + option.longestName());
                  }
                }
              });
    }
    assertThat(forgotten).isEmpty();
    assertThat(unconditional).containsAll(ALWAYS);
  }

  @Test
  void conditionsAreOfOptionsAndValuesThatThereAre() {
    Map<String, Set<String>> values = new LinkedHashMap<>();
    for (CommandLine command : commands()) {
      for (OptionSpec option : command.getCommandSpec().options()) {
        Set<String> possible =
            values.computeIfAbsent(option.longestName(), name -> new TreeSet<>());
        if (option.completionCandidates() != null) {
          option.completionCandidates().forEach(possible::add);
        }
      }
    }
    for (CommandLine command : commands()) {
      for (Rule rule : OptionRules.of(command.getCommandSpec())) {
        for (HasEffect condition : rule.all()) {
          for (String one : all(condition)) {
            assertThat(values).containsKey(OptionRules.name(one));
            Set<String> possible = values.get(OptionRules.name(one));
            if (OptionRules.hasValues(one) && !possible.isEmpty()) {
              assertThat(possible).containsAll(OptionRules.values(one));
            }
          }
        }
      }
    }
  }

  private static List<String> all(HasEffect condition) {
    List<String> all = new ArrayList<>();
    all.addAll(Arrays.asList(condition.with()));
    all.addAll(Arrays.asList(condition.without()));
    all.addAll(Arrays.asList(condition.leaves()));
    return all;
  }

  /** Command lines with an option that has no effect, and the other option that is why. */
  private static Stream<List<String>> withoutEffect() {
    List<List<String>> lines = new ArrayList<>();
    for (CommandLine command : commands()) {
      CommandSpec spec = command.getCommandSpec();
      options(spec)
          .forEach(
              option -> {
                List<HasEffect> conditions = rule(option, spec).orElseThrow().all();
                for (HasEffect broken : conditions) {
                  for (String one : broken.without()) {
                    if (spec.findOption(OptionRules.name(one)) != null) {
                      lines.add(line(spec, option, conditions, broken, holding(one, spec)));
                    }
                  }
                  // What a command cannot do without is always there.
                  Set<String> required = REQUIRED.getOrDefault(spec.name(), Map.of()).keySet();
                  if (broken.with().length > 0 && !required.contains(broken.with()[0])) {
                    lines.add(
                        line(spec, option, conditions, broken, breaking(broken.with(), spec)));
                  }
                  for (OptionSpec other : spec.options()) {
                    if (broken.leaves().length > 0
                        && other != option
                        && !INHERITED.contains(other.longestName())
                        && !List.of(broken.leaves()).contains(other.longestName())) {
                      lines.add(
                          line(
                              spec,
                              option,
                              conditions,
                              broken,
                              Map.of(other.longestName(), sample(other))));
                    }
                  }
                }
              });
    }
    return lines.stream();
  }

  /** The option, what its other conditions want, and what breaks one. */
  private static List<String> line(
      CommandSpec spec,
      OptionSpec option,
      List<HasEffect> conditions,
      HasEffect broken,
      Map<String, String> breaking) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put(option.longestName(), sample(option));
    for (HasEffect other : conditions) {
      if (other != broken && other.with().length > 0) {
        values.putAll(holding(other.with()[0], spec));
      }
    }
    values.putAll(breaking);
    REQUIRED.getOrDefault(spec.name(), Map.of()).forEach(values::putIfAbsent);
    List<String> line = new ArrayList<>(List.of(spec.name()));
    values.forEach(
        (name, value) -> {
          if (name.isEmpty()) {
            line.add(value);
          } else {
            line.add(value.isEmpty() ? name : name + "=" + value);
          }
        });
    return line;
  }

  private static Map<String, String> holding(String condition, CommandSpec spec) {
    String name = OptionRules.name(condition);
    return Map.of(
        name,
        OptionRules.hasValues(condition)
            ? OptionRules.values(condition).get(0)
            : sample(spec.findOption(name)));
  }

  private static Map<String, String> breaking(String[] conditions, CommandSpec spec) {
    String name = OptionRules.name(conditions[0]);
    if (!OptionRules.hasValues(conditions[0])) {
      return Map.of();
    }
    for (String candidate : spec.findOption(name).completionCandidates()) {
      if (!OptionRules.values(conditions[0]).contains(candidate)) {
        return Map.of(name, candidate);
      }
    }
    throw new AssertionError(name);
  }

  /** A value that can be read. */
  private static String sample(OptionSpec option) {
    if (option.arity().max() == 0) {
      return "";
    }
    if (option.defaultValue() != null) {
      return option.defaultValue();
    }
    if (option.completionCandidates() != null) {
      return option.completionCandidates().iterator().next();
    }
    return option.longestName().equals("--mask-box") ? "left" : "1";
  }

  @ParameterizedTest
  @MethodSource("withoutEffect")
  void whatHasNoEffectIsRefused(List<String> line) {
    Cli.Result result = Cli.run(line.toArray());
    result.isBadInput("--");
    assertThat(result.err()).containsAnyOf("does not go with", "goes with", "mutually exclusive");
  }

  @Test
  void thereAreManyOfThem() {
    assertThat(withoutEffect().count()).isGreaterThan(100);
    assertThat(withoutEffect())
        .contains(
            List.of("sample", "--animate=x0", "--format=grid"),
            List.of("schedules", "--data-max=1"),
            List.of("train", "--resume=1", "--dim=1"));
  }

  @Test
  void theSentenceSaysWhatIsMissingAndWhatIsInTheWay() {
    Cli.run("schedules", "--data-max", 2)
        .isBadInput(
            "The option '--data-max' goes with '--doctor', which is missing; see 'ddpm schedules"
                + " --help'.");
    Cli.run("sample", "--animate", "x", "--format", "PNG")
        .isBadInput("The option '--animate' goes with '--format gif', not with '--format png';");
    Cli.run("train", "--network", "tutorial", "--groups", 4)
        .isBadInput(
            "The option '--groups' goes with '--network annotated' or '--network unet2d', not with"
                + " '--network tutorial';");
    Cli.run("train", "--block", "convnext", "--groups", 4)
        .isBadInput("The option '--groups' does not go with '--block convnext';");
    Cli.run("train", "--resume", "r", "--seed", 1)
        .isBadInput("The option '--seed' does not go with '--resume', since a run keeps");
    Cli.run("train", "--ema-decay", 0, "--ema-power", 0.75)
        .isBadInput(
            "The option '--ema-power' does not go with '--ema-decay 0', which keeps no average;");
  }

  @Test
  void helpIsNotRefused() {
    Cli.run("schedules", "--data-max", 2, "--help").isOk();
  }
}
