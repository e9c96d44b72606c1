package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceRates;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.kernels.plan.Precision;

/**
 * The measurement of a network on a card, whose rounds take milliseconds: the first, which compiles
 * for seconds, says nothing of the others.
 *
 * @param table where to print
 * @param benchmark on the device
 * @param devices that do the work, at least one
 * @param precision of its products
 */
record DeviceBench(
    BenchTable table, Benchmark benchmark, List<Device> devices, Precision precision) {

  /**
   * Until graphs are recorded, clocks are up, and the JIT compiler is done with the host's part.
   */
  static final int LEAST_WARM_UP = 10;

  static final int LEAST_ROUNDS = 20;
  private static final int MAX_ROUNDS = 1 << 20;

  /** A device measures each operation several times in a round already. */
  private static final int PROFILED_ROUNDS = 3;

  /** Measures given numbers of rounds. */
  void measure(int warmUp, int rounds, boolean profile) throws IOException {
    double firstStep = firstStep();
    for (int i = 1; i < Math.max(warmUp, LEAST_WARM_UP); i++) {
      benchmark.round();
    }
    report(firstStep, rounds, profile);
  }

  /** Measures for some time, but enough rounds in any case. */
  void measure(double warmUpSeconds, double seconds, boolean profile) throws IOException {
    double firstStep = firstStep();
    int done = 1;
    double last = Double.NaN;
    for (double sum = 0; done < LEAST_WARM_UP || sum < warmUpSeconds; sum += last) {
      last = benchmark.round();
      done++;
    }
    report(firstStep, rounds(seconds, last), profile);
  }

  static int rounds(double seconds, double last) {
    return (int) Math.max(LEAST_ROUNDS, Math.min(MAX_ROUNDS, Math.round(seconds / last)));
  }

  /** The seconds from the start of the program to the end of its first round. */
  private double firstStep() {
    benchmark.round();
    long start = ManagementFactory.getRuntimeMXBean().getStartTime();
    return (System.currentTimeMillis() - start) / 1e3;
  }

  private void report(double firstStep, int rounds, boolean profile) throws IOException {
    double[] seconds = new double[rounds];
    try (Progress progress = new Progress(table.console(), "bench", "rounds", 0, rounds)) {
      for (int i = 0; i < rounds; i++) {
        seconds[i] = benchmark.round();
        progress.update(i + 1L, BenchTable.rate(table.images() / seconds[i]));
      }
    }
    // Counting operations compiles another plan, which takes memory of its own.
    OptionalLong peakMemory = PeakMemory.bytes();
    List<Double> deviceMemory = devices.stream().map(each -> each.peakMemoryBytes() / 1e6).toList();
    int profiled = profile ? PROFILED_ROUNDS : 1;
    PlanProfile operations = new PlanProfile();
    for (int i = 0; i < profiled; i++) {
      benchmark.round(operations);
    }
    // Workers on one card share its rates.
    long cards = devices.stream().map(Device::name).distinct().count();
    Optional<DeviceRates> rates = devices.get(0).rates(precision);
    table.printSpeed(
        seconds,
        operations.total().flops() / profiled,
        cards * rates.map(DeviceRates::matmulGigaflops).orElse(0.0));
    if (rates.isPresent()) {
      DeviceRates best = rates.get();
      table.printTraffic(
          seconds, operations.total().bytes() / profiled, cards * best.copyGigabytes());
      table.print(
          "matmul rate",
          BenchTable.format(
              "%.1f GFLOP/s (%s, %s)", best.matmulGigaflops(), precision, best.matmulBy()));
      table.print("copy rate", BenchTable.format("%.1f GB/s", best.copyGigabytes()));
    }
    table.print("first step", BenchTable.format("%.1f s after the start", firstStep));
    if (deviceMemory.get(0) > 0) {
      table.print(
          "card memory",
          deviceMemory.stream()
              .map(megabytes -> BenchTable.format("%.0f MB", megabytes))
              .collect(Collectors.joining(", ")));
    }
    table.printMegabytes("peak memory", peakMemory);
    if (profile) {
      table
          .console()
          .print(
              new ProfileTable(operations, profiled, profiled * BenchTable.median(seconds))
                      .ofDevice()
                  ::write);
    }
  }
}
