package org.ddpm4j.cli.options;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.layers.LayersChoice;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.Option;

/** The options of how a network computes other than its number format. */
@OptionGroup("How the machine computes")
public final class LayersOptions {

  /** More threads than that are a slip of the hand. */
  public static final int MAX_THREADS = 1024;

  @Option(
      names = "--layers",
      paramLabel = "NAME",
      defaultValue = Defaults.LAYERS,
      description =
          "What computes, ddpm4j's fused operations or SameDiff's own, auto being fused where that"
              + " runs: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LayersChoice layers;

  @HasEffect(without = "--scaling", decidedBy = Execution.class)
  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the fused layers (default: all processors).")
  private Integer threads;

  @HasEffect(decidedBy = Execution.class)
  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = Defaults.DEVICE,
      description =
          "What the fused layers compute on: auto, cpu, cuda or cuda:N; auto takes a card that can"
              + " be used; cuda:0,1 trains on two cards (default: ${DEFAULT-VALUE}).")
  private String device;

  /** Nothing chosen yet; picocli sets the fields. */
  public LayersOptions() {}

  /**
   * What the user chose, if this machine can compute so. The console hears of a card.
   *
   * @param console that is told
   * @param dataType of the network
   * @param precision of values in between
   * @return how to compute
   * @throws BadInputException if this machine cannot
   */
  public Execution execution(Console console, DataType dataType, Precision precision) {
    Execution execution = trainingExecution(console, dataType, precision);
    if (!execution.helpers().isEmpty()) {
      throw new BadInputException(
          "The option --device names several devices (%s), which can train together; this command computes on one: say --device %s.",
          device, execution.resolvedDevice());
    }
    return execution;
  }

  /**
   * As {@link #execution}, where several devices can work together.
   *
   * @param console that is told
   * @param dataType of the network
   * @param precision of values in between
   * @return how to compute
   * @throws BadInputException if this machine cannot
   */
  public Execution trainingExecution(Console console, DataType dataType, Precision precision) {
    Execution execution = check(dataType, precision);
    boolean chosenHere = device.strip().equalsIgnoreCase(DeviceName.AUTO.toString());
    DeviceName resolved = execution.resolvedDevice();
    if (chosenHere && !resolved.equals(DeviceName.CPU) && execution.isFused(dataType)) {
      console.note("device: %s, %s", resolved, Devices.description(resolved).orElseThrow());
    }
    return execution;
  }

  private Execution check(DataType dataType, Precision precision) {
    if (threads != null) {
      BadInputException.requireRange("--threads", threads, 1, MAX_THREADS);
    }
    return BadInputException.check(
        () -> {
          Execution execution =
              new Execution(
                  layers,
                  precision,
                  Objects.requireNonNullElseGet(threads, () -> Execution.automatic().threads()),
                  devicesOf(dataType));
          if (!execution.isFused(dataType) && threads != null) {
            throw new IllegalArgumentException(
                "The reference layers, which compute here, take no --threads; set OMP_NUM_THREADS"
                    + " in the environment instead.");
          }
          return execution;
        });
  }

  /** Cards compute in FLOAT alone, and reference layers on the processor alone. */
  private List<DeviceName> devicesOf(DataType dataType) {
    List<DeviceName> names = DeviceName.parseAll(device);
    boolean cpuAlone = layers == LayersChoice.REFERENCE || dataType != DataType.FLOAT;
    return cpuAlone && names.equals(List.of(DeviceName.AUTO)) ? List.of(DeviceName.CPU) : names;
  }
}
