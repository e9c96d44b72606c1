package org.ddpm4j.spark.app;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.training.TrainingDivergedException;
import org.ddpm4j.io.NumberWords;
import org.ddpm4j.io.Text;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program that {@code spark-submit} begins: pack, train, sample, evaluate. */
@Command(
    name = "ddpm-spark",
    description = "Train, draw and measure on a Spark cluster.",
    subcommands = {
      PackCommand.class,
      TrainCommand.class,
      SampleCommand.class,
      EvaluateCommand.class,
      CommandLine.HelpCommand.class
    },
    mixinStandardHelpOptions = true)
public final class SparkApplication implements Callable<Integer> {

  private static final int BAD_INPUT = 2;

  @Spec private CommandSpec spec;

  /** Called by picocli. */
  public SparkApplication() {}

  /**
   * Runs a command and ends the driver with its exit code: 0 if all went well, 2 for bad input, 1
   * for a bug or a cluster that fails.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT);
    int code = run(args);
    // Spark's own exit code is that of the process.
    if (code != 0) {
      System.exit(code);
    }
  }

  static int run(String... args) {
    CommandLine program = new CommandLine(new SparkApplication());
    ITypeConverter<Integer> small = numbers(NumberWords::integer);
    ITypeConverter<Long> large = numbers(NumberWords::longInteger);
    return program
        .registerConverter(Integer.class, small)
        .registerConverter(int.class, small)
        .registerConverter(Long.class, large)
        .registerConverter(long.class, large)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((failure, words) -> refuse(unknownOptions(failure, words)))
        .setExecutionExceptionHandler((failure, line, result) -> report(line, failure))
        .execute(args);
  }

  /** As the program ddpm reads and refuses them. */
  private static <N> ITypeConverter<N> numbers(Function<String, N> read) {
    return words -> {
      try {
        return read.apply(words);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    };
  }

  /** In one line, where picocli would print all of the help as well. */
  private static int refuse(ParameterException failure) {
    CommandLine line = failure.getCommandLine();
    String sentence = failure.getMessage().strip().replaceAll("\\s*\\R\\s*", " ");
    line.getErr()
        .println(
            Text.format(
                "ddpm-spark: %s; see '%s --help'.",
                sentence.replaceAll("[.\\s]+$", ""), line.getCommandSpec().qualifiedName()));
    return BAD_INPUT;
  }

  /**
   * Picocli lists the values of unknown options as if they were unknown, too, and first says which
   * options are missing, whose names may only be mistyped.
   */
  private static ParameterException unknownOptions(ParameterException failure, String... words) {
    CommandSpec command = failure.getCommandLine().getCommandSpec();
    List<String> unknown =
        Stream.of(words)
            .takeWhile(word -> !word.equals("--"))
            .filter(word -> word.startsWith("--"))
            .map(word -> word.split("=", 2)[0])
            .filter(name -> command.findOption(name) == null)
            .toList();
    return unknown.isEmpty()
        ? failure
        : new UnmatchedArgumentException(failure.getCommandLine(), unknown);
  }

  private static int report(CommandLine line, Exception failure) {
    Throwable cause = failure;
    while (cause.getCause() != null
        && !(cause instanceof IOException && !(cause instanceof java.io.InterruptedIOException))) {
      cause = cause.getCause();
    }
    if (cause instanceof IOException
        || cause instanceof IllegalArgumentException
        || cause instanceof TrainingDivergedException) {
      line.getErr().println("ddpm-spark: " + cause.getMessage());
      return BAD_INPUT;
    }
    if (cause instanceof AnalysisException) {
      // Of a table that is none, or has not the columns; what follows the first line is a plan.
      line.getErr().println("ddpm-spark: " + cause.getMessage().lines().findFirst().orElse(""));
      return BAD_INPUT;
    }
    if (cause instanceof SparkException) {
      line.getErr().println("ddpm-spark: the cluster failed: " + cause.getMessage());
      return CommandLine.ExitCode.SOFTWARE;
    }
    failure.printStackTrace(line.getErr());
    return CommandLine.ExitCode.SOFTWARE;
  }

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(), "A command is missing: pack, train, sample or evaluate.");
  }

  /** The session that spark-submit has configured; quiet unless somebody asks for more. */
  static SparkSession session() {
    SparkConf said = new SparkConf();
    SparkSession.Builder builder = SparkSession.builder();
    if (!said.contains("spark.app.name")) {
      builder.appName("ddpm4j");
    }
    if (!said.contains("spark.log.level")) {
      builder.config("spark.log.level", "ERROR");
    }
    return begun(builder::getOrCreate);
  }

  /** Hadoop of before JDK 24 asks it for what that has given up, and Spark does not begin. */
  static SparkSession begun(Supplier<SparkSession> session) {
    try {
      return session.get();
    } catch (UnsupportedOperationException e) {
      throw new IllegalArgumentException(
          Text.format(
              "This Spark does not begin on Java %d (%s); set JAVA_HOME and spark.executorEnv.JAVA_HOME to a Java that it knows, such as 17 or 21.",
              Runtime.version().feature(), e.getMessage()));
    }
  }

  static void requirePartitions(String option, Integer chosen) {
    if (chosen != null && chosen < 1) {
      throw new IllegalArgumentException(
          Text.format("%s is %d; give at least 1, or leave it out.", option, chosen));
    }
  }

  static void requireAtLeastOne(String option, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "The value of %s is %d; it must be from 1 to %d.", option, value, Integer.MAX_VALUE));
    }
  }

  /** An option that would be ignored. */
  static IllegalArgumentException withoutEffect(String option, String with, String found) {
    return new IllegalArgumentException(
        Text.format(
            "The option '%s' goes with %s, not with '%s'; leave one of them out.",
            option, with, found));
  }

  /**
   * A few tasks for each core, so that none waits long for the last.
   *
   * @param spark the session
   * @param option that chooses their number
   * @param chosen by it, or null
   */
  static int partitions(SparkSession spark, String option, Integer chosen) {
    requirePartitions(option, chosen);
    return chosen != null ? chosen : 4 * spark.sparkContext().defaultParallelism();
  }
}
