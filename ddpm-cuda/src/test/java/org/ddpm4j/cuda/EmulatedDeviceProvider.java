package org.ddpm4j.cuda;

import java.util.List;
import java.util.Optional;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceProvider;

/** The kernels of a card, run by a CPU, as a device for whole networks. */
public final class EmulatedDeviceProvider implements DeviceProvider {

  public EmulatedDeviceProvider() {}

  @Override
  public String kind() {
    return "emulated";
  }

  /** None, so that nobody takes it who does not ask for it. */
  @Override
  public List<String> descriptions() {
    return List.of();
  }

  @Override
  public Optional<String> obstacle(int index) {
    return Optional.ofNullable(EmulatedDriver.obstacle());
  }

  @Override
  public Device open(int index) {
    return new CudaDevice(new EmulatedDriver());
  }
}
