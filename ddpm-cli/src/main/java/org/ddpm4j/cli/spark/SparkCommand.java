package org.ddpm4j.cli.spark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.terminal.Console;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints what spark-submit needs to be told for the application of {@code ddpm-spark}. */
@Command(
    name = "spark",
    description = "Print the arguments of spark-submit for training and drawing on a cluster.",
    footer = {
      "",
      "An executor does one task at a time on all of its cores. Images, weights and gradients lie",
      "outside of Java's heap, in what Spark calls memory overhead. docs/spark.md has the rest."
    })
@Introduction(example = "ddpm spark submit-args --master yarn --executors 8")
public final class SparkCommand implements Callable<Integer> {

  /** Of a process, whatever it computes. */
  private static final int BASE_OVERHEAD_MB = 1024;

  /** For the plan of a thread, of the CIFAR network of docs/performance.md. */
  private static final int THREAD_OVERHEAD_MB = 1024;

  private static final int MOST = 1 << 20;

  /** What is printed. */
  enum Subject {
    /** The arguments, for a shell. */
    SUBMIT_ARGS
  }

  private final Console console;

  @Parameters(
      index = "0",
      paramLabel = "WHAT",
      description = "What to print: ${COMPLETION-CANDIDATES}.")
  private Subject subject;

  @Option(
      names = "--master",
      paramLabel = "URL",
      defaultValue = "local[2]",
      description =
          "The cluster, spark://HOST:PORT, yarn or k8s://URL, or this machine alone, local[N]"
              + " (default: ${DEFAULT-VALUE}).")
  private String master;

  @Option(
      names = "--executors",
      paramLabel = "N",
      description = "Of a cluster: executors, each a process (default: 2).")
  private Integer executors;

  @Option(
      names = "--cores",
      paramLabel = "N",
      description = "Of a cluster: cores of each executor (default: 4).")
  private Integer cores;

  @Option(
      names = "--overhead",
      paramLabel = "MB",
      description =
          "Of a cluster: memory of each executor outside of Java's heap (default: 1024, and 1024 for"
              + " each core).")
  private Integer overhead;

  @Option(
      names = "--cards",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "NVIDIA cards of each executor, 0 or 1; which those are, Spark's discovery script says"
              + " (default: ${DEFAULT-VALUE}).")
  private int cards;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public SparkCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--cards", cards, 0, 1);
    List<String> arguments = new ArrayList<>();
    arguments.add("--master " + quoted(master));
    arguments.add("--class org.ddpm4j.spark.app.SparkApplication");
    if (master.startsWith("local")) {
      if (executors != null || cores != null || overhead != null) {
        throw new BadInputException(
            "%s has no executors, so that --executors, --cores and --overhead would say nothing; name a cluster by --master, or leave them out.",
            master);
      }
    } else {
      addExecutors(arguments);
    }
    arguments.add("--driver-memory 4g");
    setting(arguments, "spark.driver.maxResultSize", "0");
    // Weights and gradients do not shrink, and the time it takes is a step's.
    setting(arguments, "spark.broadcast.compress", "false");
    setting(arguments, "spark.log.level", "WARN");
    setting(arguments, "spark.ui.showConsoleProgress", "false");
    if (cards > 0) {
      setting(arguments, "spark.executor.resource.gpu.amount", "1");
      setting(arguments, "spark.task.resource.gpu.amount", "1");
    }
    for (String argument : arguments) {
      console.printLine(argument);
    }
    return 0;
  }

  private void addExecutors(List<String> arguments) {
    int count = Objects.requireNonNullElse(executors, 2);
    int each = Objects.requireNonNullElse(cores, 4);
    BadInputException.requireRange("--executors", count, 1, MOST);
    BadInputException.requireRange("--cores", each, 1, MOST);
    long memory = overhead == null ? BASE_OVERHEAD_MB + THREAD_OVERHEAD_MB * (long) each : overhead;
    BadInputException.requireRange("--overhead", memory, 1, Integer.MAX_VALUE);
    if (master.startsWith("spark:")) {
      arguments.add("--total-executor-cores " + count * (long) each);
    } else {
      arguments.add("--num-executors " + count);
    }
    arguments.add("--executor-cores " + each);
    arguments.add("--executor-memory 2g");
    setting(arguments, "spark.executor.memoryOverhead", memory + "m");
    // A task has all cores of its executor for its network.
    setting(arguments, "spark.task.cpus", Integer.toString(each));
    setting(arguments, "spark.executorEnv.OMP_NUM_THREADS", "1");
  }

  private static void setting(List<String> arguments, String name, String value) {
    arguments.add("--conf " + name + "=" + value);
  }

  /** Words for a shell to split, so that nothing of them may mean something to it. */
  private static String quoted(String word) {
    if (!word.matches("[A-Za-z0-9_./:\\-\\[\\]*,]+")) {
      throw new BadInputException(
          "--master is %s; expected local[N], spark://HOST:PORT, yarn or k8s://URL.", word);
    }
    return word;
  }
}
