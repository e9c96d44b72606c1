package org.ddpm4j.cuda;

import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceMemory;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.ddpm4j.kernels.plan.DeviceRates;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanContext;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * Plans on an NVIDIA card. A plan is one CUDA graph over one arena of the card's memory. Feature
 * maps lie in rows of padded channels, in bfloat16 where that is the precision; everything else is
 * in float32.
 */
public final class CudaDevice implements Device {

  private static final int TIMED_RUNS = 10;

  private final CudaDriver driver;
  private final Staging staging;

  CudaDevice(CudaDriver driver) {
    this.driver = driver;
    this.staging = new Staging(driver);
  }

  @Override
  public String name() {
    return driver.name();
  }

  @Override
  public String description() {
    return driver.description();
  }

  CudaDriver driver() {
    return driver;
  }

  @Override
  public int alignment() {
    return CudaContext.ALIGNMENT;
  }

  @Override
  public DeviceMemory allocate(long bytes) {
    return new Memory(driver, driver.allocate(bytes), bytes);
  }

  @Override
  public long peakMemoryBytes() {
    return driver.peakBytes();
  }

  /** Empty where the network leaves no memory for it. */
  @Override
  public Optional<DeviceRates> rates(Precision precision) {
    try {
      return Optional.of(new CudaRates(driver).measure(precision));
    } catch (DeviceMemoryException e) {
      return Optional.empty();
    }
  }

  private record Memory(CudaDriver driver, long address, long bytes) implements DeviceMemory {
    @Override
    public void close() {
      driver.free(address);
    }
  }

  @Override
  public void upload(FloatBuffer from, Tensor to) {
    staging.upload(from, to.address(), to.length());
  }

  @Override
  public void download(Tensor from, FloatBuffer to) {
    staging.download(from.address(), to, from.length());
  }

  @Override
  public void zero(Tensor tensor) {
    driver.zero(tensor.address(), tensor.bytes());
  }

  @Override
  public WeightCache weightCache() {
    return new CudaWeightCache(driver);
  }

  @Override
  public PlanContext open(WeightCache weights, Precision precision) {
    return new CudaContext(driver, (CudaWeightCache) weights, precision);
  }

  @Override
  public Optional<FusedOp> fuse(FusedOp first, FusedOp next) {
    return CudaFusion.fuse(first, next);
  }

  @Override
  public Optional<FusedOp> absorb(FusedOp first, FusedOp reader) {
    return CudaFusion.absorb(first, reader);
  }

  @Override
  public TensorFormat format(FusedOp op, int output, long[] shape, Precision precision) {
    if (shape.length != 4 || op instanceof ChannelsFirst || op.addsTo(output)) {
      return TensorFormat.dense(shape);
    }
    return new TensorFormat(
        precision == Precision.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32,
        paddedChannels(shape[3]));
  }

  /**
   * What matrix units and 16-byte accesses want; 28 channels in 32 are up to four times as fast.
   */
  static long paddedChannels(long channels) {
    if (channels <= 8) {
      return 8;
    }
    return channels <= 16 ? 16 : (channels + 31) / 32 * 32;
  }

  /**
   * Each kernel several times in one graph, since a launch alone takes longer than most of them.
   */
  @Override
  public void runTimed(List<Kernel> kernels, Clock clock) {
    kernels.forEach(Kernel::run);
    for (int i = 0; i < kernels.size(); i++) {
      try (CudaDriver.CudaGraph graph =
          driver.graph(Collections.nCopies(TIMED_RUNS, kernels.get(i)))) {
        graph.run();
        clock.add(i, (long) (driver.milliseconds(graph::run) * 1e6 / TIMED_RUNS));
      }
    }
    kernels.forEach(Kernel::run);
    driver.synchronize();
  }

  @Override
  public boolean trains() {
    return true;
  }

  @Override
  public TrainingProgram training(TrainingRequest request) {
    return new CudaTraining(driver, request);
  }

  /** Gives back what is the device's own; the driver stays open. */
  void release() {
    staging.close();
  }

  @Override
  public void close() {
    release();
    driver.close();
  }
}
