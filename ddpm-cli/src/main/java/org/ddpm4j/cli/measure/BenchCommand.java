package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import java.util.stream.Collectors;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.ExecutionOptions;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.LayersOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.cpu.MatrixMultiplyRate;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures how fast networks train and predict on this machine. */
@Command(
    name = "bench",
    description = "Measure how fast this machine trains and samples.",
    footer = {
      "",
      "Works on noise. A round is a batch: for train the gradient and",
      "AdamW's update, for sample the network's estimate of the noise. A card warms up for at",
      "least ten rounds and is measured for at least twenty, unless --steps says otherwise."
    })
@Introduction(example = "ddpm bench train --batch 64")
public final class BenchCommand implements Callable<Integer> {

  private static final int MAX_BATCH = 1 << 16;
  private static final int MAX_ROUNDS = 1 << 20;
  private static final double MAX_SECONDS = 1e5;

  /** Warming up takes this part of what is measured: the JIT compiler needs a while. */
  private static final double WARM_UP = 1.0 / 3;

  private static final Duration MATMUL_DURATION = Duration.ofSeconds(2);

  private final Console console;

  private BenchTable table;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TASK", description = "What to measure: ${COMPLETION-CANDIDATES}.")
  private Benchmark.Task task;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      defaultValue = MeasuringDefaults.BENCH_MODEL,
      description = "The network: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private BenchModel model;

  @Option(
      names = {"--batch", "--batch-size"},
      paramLabel = "N",
      defaultValue = MeasuringDefaults.BENCH_BATCH_SIZE,
      description = "Images of a round (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @ArgGroup private final Length length = new Length();

  private static final class Length {
    @Option(
        names = "--seconds",
        paramLabel = "X",
        description =
            "How long to measure, at least one round, after a third of that to warm up (default: "
                + MeasuringDefaults.BENCH_SECONDS
                + ").")
    private Double seconds;

    @Option(
        names = "--steps",
        paramLabel = "N",
        description = "How many rounds to measure, after a third of that to warm up.")
    private Integer steps;
  }

  @HasEffect(decidedBy = Execution.class)
  @Mixin
  private ExecutionOptions execution;

  @HasEffect(
      without = "--scaling",
      because = "which measures for each number of threads what is outside of operations",
      decidedBy = Execution.class)
  @Option(
      names = "--profile",
      description = "Print how long each kind of operation takes, and the slowest operations.")
  private boolean profile;

  @Option(
      names = "--scaling",
      paramLabel = "N",
      split = ",",
      description =
          "Measure with each of these numbers of threads, such as 1,2,4,8,16, and print what more"
              + " threads bring; in place of --threads.")
  private List<Integer> scaling = List.of();

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public BenchCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--batch", batchSize, 1, MAX_BATCH);
    checkLength();
    if (task == Benchmark.Task.TRAIN && !model.isTrained()) {
      throw new BadInputException(
          "The network %s is measured in predictions alone; ask for bench sample.",
          EnumConverter.spelling(model));
    }
    Execution chosen =
        task == Benchmark.Task.TRAIN
            ? execution.trainingExecution(console)
            : execution.execution(console);
    boolean fused = chosen.isFused(DataType.FLOAT);
    if (profile && !fused) {
      throw new ParameterException(
          spec.commandLine(),
          "The option '--profile' needs the fused layers; here the reference layers compute");
    }
    table = new BenchTable(console, batchSize);
    if (!scaling.isEmpty()) {
      checkScaling(chosen, fused);
      measureScaling(chosen);
      return 0;
    }
    try (Benchmark benchmark = benchmark(chosen)) {
      List<Device> devices = benchmark.devices();
      describe(chosen, devices);
      table.print("parameters", benchmark.unet().parameters().count());
      if (!devices.isEmpty()) {
        measureOn(new DeviceBench(table, benchmark, devices, chosen.precision()));
        return 0;
      }
      if (fused) {
        table.print("threads", chosen.threads());
      }
      PlanProfile firstRound = new PlanProfile();
      int rounds = warmUp(benchmark, firstRound);
      PlanProfile times = new PlanProfile();
      double[] seconds = new double[rounds];
      measure(seconds, profile ? () -> benchmark.round(times) : benchmark::round);
      printSpeed(seconds, firstRound.total().flops(), chosen.threads());
      if (profile) {
        double threadSeconds = Arrays.stream(seconds).sum() * chosen.threads();
        console.print(new ProfileTable(times, rounds, threadSeconds)::write);
      }
    }
    return 0;
  }

  private void measureOn(DeviceBench bench) throws IOException {
    if (length.steps == null) {
      bench.measure(WARM_UP * seconds(), seconds(), profile);
    } else {
      bench.measure(warmUpRounds(), length.steps, profile);
    }
  }

  private void checkScaling(Execution chosen, boolean fused) {
    for (int threads : scaling) {
      BadInputException.requireRange("--scaling", threads, 1, LayersOptions.MAX_THREADS);
    }
    if (!fused || !chosen.resolvedDevice().equals(DeviceName.CPU)) {
      throw new ParameterException(
          spec.commandLine(),
          "The option '--scaling' needs the fused layers on the processor; add --device cpu");
    }
  }

  private void measureScaling(Execution chosen) throws IOException {
    describe(chosen, List.of());
    console.printLine("");
    console.printLine(ScalingRow.HEADER);
    ScalingRow first = null;
    for (int threads : scaling) {
      Execution execution =
          new Execution(chosen.layers(), chosen.precision(), threads, chosen.devices());
      try (Benchmark benchmark = benchmark(execution)) {
        ScalingRow row = scalingRow(benchmark, threads);
        first = first == null ? row : first;
        console.printLine(row.line(first));
      }
    }
  }

  private Benchmark benchmark(Execution execution) {
    return new Benchmark(task, model.config(), model.shape(), batchSize, execution);
  }

  private ScalingRow scalingRow(Benchmark benchmark, int threads) {
    int rounds = warmUp(benchmark, new PlanProfile());
    double[] seconds = new double[rounds];
    measure(seconds, benchmark::round);
    // Apart from the others, which are not to be slowed down by the clock.
    PlanProfile times = new PlanProfile();
    double profiled = 0;
    for (int i = 0; i < (rounds + 3) / 4; i++) {
      profiled += benchmark.round(times);
    }
    return new ScalingRow(
        threads,
        batchSize / Arrays.stream(seconds).min().orElseThrow(),
        batchSize / BenchTable.median(seconds),
        1 - times.total().nanoseconds() / (profiled * threads * 1e9));
  }

  private void checkLength() {
    if (length.steps != null) {
      BadInputException.requireRange("--steps", length.steps, 1, MAX_ROUNDS);
    }
    if (!(seconds() > 0 && seconds() <= MAX_SECONDS)) {
      throw new BadInputException(
          "The value of --seconds is %s; it must be above 0 and at most %s.",
          length.seconds, MAX_SECONDS);
    }
  }

  private double seconds() {
    return length.seconds == null
        ? Double.parseDouble(MeasuringDefaults.BENCH_SECONDS)
        : length.seconds;
  }

  private void describe(Execution chosen, List<Device> devices) throws IOException {
    console.note(
        length.steps == null
            ? BenchTable.format(
                "bench: measures for about %.0f s after %.0f s to warm up",
                seconds(), WARM_UP * seconds())
            : Text.format(
                "bench: measures rounds: %d after %d to warm up",
                length.steps,
                !devices.isEmpty()
                    ? Math.max(DeviceBench.LEAST_WARM_UP, warmUpRounds())
                    : warmUpRounds()));
    table.print("task", EnumConverter.spelling(task));
    table.print("model", Text.format("%s, %s", EnumConverter.spelling(model), model.shape()));
    table.print("batch", batchSize);
    if (!devices.isEmpty()) {
      String names = devices.stream().map(Device::name).collect(Collectors.joining(", "));
      table.print("device", Text.format("%s, %s", names, devices.get(0).description()));
      table.print("precision", chosen.precision());
      return;
    }
    table.print(
        "layers", chosen.isFused(DataType.FLOAT) ? "fused, " + chosen.precision() : "reference");
  }

  private int warmUpRounds() {
    return (int) Math.ceil(WARM_UP * length.steps);
  }

  /** Returns how many rounds to measure. */
  private int warmUp(Benchmark benchmark, PlanProfile firstRound) {
    double last = benchmark.round(firstRound);
    if (length.steps != null) {
      for (int i = 1; i < warmUpRounds(); i++) {
        benchmark.round();
      }
      return length.steps;
    }
    // The first round compiles plans; where a round takes so long, it is warm-up enough.
    for (double sum = 0; sum < WARM_UP * seconds() && last < seconds(); sum += last) {
      last = benchmark.round();
    }
    return (int) Math.max(1, Math.min(MAX_ROUNDS, Math.round(seconds() / last)));
  }

  private void measure(double[] seconds, DoubleSupplier round) {
    try (Progress progress = new Progress(console, "bench", "rounds", 0, seconds.length)) {
      for (int i = 0; i < seconds.length; i++) {
        seconds[i] = round.getAsDouble();
        progress.update(i + 1L, BenchTable.rate(batchSize / seconds[i]));
      }
    }
  }

  private void printSpeed(double[] seconds, double flops, int threads) throws IOException {
    OptionalLong peakMemory = PeakMemory.bytes();
    double matmulRate =
        FusedKernels.available() ? MatrixMultiplyRate.gigaflops(threads, MATMUL_DURATION) : 0;
    table.printSpeed(seconds, flops, matmulRate);
    if (matmulRate > 0) {
      table.print(
          "matmul rate",
          BenchTable.format(
              "%.1f GFLOP/s (float32, %d rows and columns, %d threads)",
              matmulRate, MatrixMultiplyRate.SIZE, threads));
    }
    table.printMegabytes("peak memory", peakMemory);
  }
}
