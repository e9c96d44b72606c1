package org.ddpm4j.unet;

import java.util.Optional;
import java.util.function.Consumer;
import org.ddpm4j.kernels.cpu.CpuDevice;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.unet.model.UnetConfig;

/** Where the plans of one network run, with what it keeps there. */
sealed interface PlanBackend extends AutoCloseable {

  /** What runs a graph of the network for images of one size. */
  UnetExecutor executor(UnetGraph graph, int height, int width, Consumer<GraphPlan> planRunner);

  /** For people. */
  String description();

  @Override
  void close();

  /** The backend that an execution asks for. */
  static PlanBackend of(UnetConfig config, Parameters parameters, Execution execution) {
    return execution.isOnCpu()
        ? new OnCpu(parameters, execution)
        : new OnDevice(config, parameters, execution);
  }

  /** The processor: a plan for each thread. */
  final class OnCpu implements PlanBackend {

    private final Parameters parameters;
    private final Execution execution;
    private final CpuDevice device;
    private final PlanWeights weights;

    OnCpu(Parameters parameters, Execution execution) {
      this.parameters = parameters;
      this.execution = execution;
      device = new CpuDevice(execution.threads());
      weights = new PlanWeights(parameters, device);
    }

    @Override
    public UnetExecutor executor(
        UnetGraph graph, int height, int width, Consumer<GraphPlan> planRunner) {
      return new MicroBatchExecutor(
          graph, height, width, parameters, weights, device, execution.precision(), planRunner);
    }

    @Override
    public String description() {
      return device.description();
    }

    @Override
    public void close() {
      weights.close();
      device.close();
    }
  }

  /** A device with memory of its own: a plan for the whole batch. */
  final class OnDevice implements PlanBackend {

    private final UnetConfig config;
    private final Parameters parameters;
    private final Execution execution;
    private final Device device;
    private final DeviceWeights weights;

    OnDevice(UnetConfig config, Parameters parameters, Execution execution) {
      this(config, parameters, execution, execution.resolvedDevice());
    }

    private OnDevice(
        UnetConfig config, Parameters parameters, Execution execution, DeviceName name) {
      this.config = config;
      this.parameters = parameters;
      this.execution = execution;
      device = Devices.open(name);
      try {
        weights = new DeviceWeights(device, parameters);
      } catch (RuntimeException e) {
        device.close();
        throw e;
      }
    }

    /** The same network on another device. */
    OnDevice on(DeviceName other) {
      return new OnDevice(config, parameters, execution, other);
    }

    @Override
    public WholeBatchExecutor executor(
        UnetGraph graph, int height, int width, Consumer<GraphPlan> planRunner) {
      return new WholeBatchExecutor(
          graph,
          config,
          height,
          width,
          parameters,
          weights,
          device,
          execution.precision(),
          planRunner);
    }

    Device device() {
      return device;
    }

    DeviceWeights weights() {
      return weights;
    }

    @Override
    public String description() {
      return device.description();
    }

    @Override
    public void close() {
      weights.close();
      device.close();
    }
  }

  /** This as a backend on a device, where it is one. */
  default Optional<OnDevice> onDevice() {
    return this instanceof OnDevice device ? Optional.of(device) : Optional.empty();
  }
}
