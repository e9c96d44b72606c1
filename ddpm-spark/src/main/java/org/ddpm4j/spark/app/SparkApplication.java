package org.ddpm4j.spark.app;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.training.TrainingDivergedException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

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
    return new CommandLine(new SparkApplication())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler((failure, line, result) -> report(line, failure))
        .execute(args);
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
    return builder.getOrCreate();
  }

  /** A few tasks for each core, so that none waits long for the last. */
  static int partitions(SparkSession spark, Integer chosen) {
    return chosen != null ? chosen : 4 * spark.sparkContext().defaultParallelism();
  }
}
