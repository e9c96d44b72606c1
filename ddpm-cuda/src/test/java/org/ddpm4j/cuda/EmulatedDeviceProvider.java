package org.ddpm4j.cuda;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceProvider;

/** The kernels of a card, run by a CPU, as a device for whole networks. */
public final class EmulatedDeviceProvider implements DeviceProvider {

  private static final List<EmulatedDriver> OPENED = new CopyOnWriteArrayList<>();

  public EmulatedDeviceProvider() {}

  /** All that were opened since the last call. */
  static List<EmulatedDriver> takeOpened() {
    List<EmulatedDriver> opened = List.copyOf(OPENED);
    OPENED.removeAll(opened);
    return opened;
  }

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
    EmulatedDriver driver = new EmulatedDriver();
    OPENED.add(driver);
    return new CudaDevice(driver);
  }
}
