package org.ddpm4j.unet;

import java.util.Map;
import java.util.Optional;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceMemory;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * A device's own copy of a network's parameters, with what its kernels make of them. Used under the
 * device's monitor.
 */
final class DeviceWeights implements AutoCloseable {

  private final Device device;
  private final Parameters parameters;

  /** Of its own, where the caller has none. */
  private final Optional<DeviceMemory> memory;

  private final Tensor flat;
  private final WeightCache cache;
  private DeviceMemory gradientMemory;

  /** Of the parameters when the device got them; -1 for never. */
  private long uploadedVersion = -1;

  private long version;

  DeviceWeights(Device device, Parameters parameters) {
    this.device = device;
    this.parameters = parameters;
    DeviceMemory own = device.allocate(parameters.count() * Float.BYTES);
    memory = Optional.of(own);
    flat = Tensor.dense(own.address(), parameters.count());
    cache = device.weightCache();
  }

  /** In memory of the caller's, {@code [count]}. */
  DeviceWeights(Device device, Parameters parameters, Tensor flat) {
    this.device = device;
    this.parameters = parameters;
    this.flat = flat;
    memory = Optional.empty();
    cache = device.weightCache();
  }

  /** All parameters, {@code [count]}. */
  Tensor flat() {
    return flat;
  }

  /** The parameters by their names. */
  Map<String, Tensor> tensors() {
    return WholeBatchExecutor.parts(parameters, flat);
  }

  WeightCache cache() {
    return cache;
  }

  /** Increases whenever the device's copy changes. */
  long version() {
    return version;
  }

  /** Lets the device have the parameters as they are now. */
  void makeCurrent() {
    if (uploadedVersion != parameters.version()) {
      upload();
    }
  }

  /** As {@link #makeCurrent}, for parameters that are known to have changed. */
  void upload() {
    uploadedVersion = parameters.version();
    device.upload(Contiguous.buffer(parameters.values()), flat);
    refreshed();
  }

  /** The device's copy was changed on the device, and the host's is the same. */
  void broughtHome() {
    uploadedVersion = parameters.version();
    refreshed();
  }

  private void refreshed() {
    cache.refresh();
    version++;
  }

  /** A buffer of the parameters' length for their gradient, all zero. */
  Tensor zeroedGradient() {
    if (gradientMemory == null) {
      gradientMemory = device.allocate(parameters.count() * Float.BYTES);
    }
    Tensor gradient = Tensor.dense(gradientMemory.address(), parameters.count());
    device.zero(gradient);
    return gradient;
  }

  @Override
  public void close() {
    cache.close();
    memory.ifPresent(DeviceMemory::close);
    if (gradientMemory != null) {
      gradientMemory.close();
    }
  }
}
