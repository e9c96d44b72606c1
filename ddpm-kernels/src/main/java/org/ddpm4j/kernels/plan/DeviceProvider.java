package org.ddpm4j.kernels.plan;

import java.util.List;
import java.util.Optional;

/** Devices of one kind, found by the JDK's {@link java.util.ServiceLoader}. */
public interface DeviceProvider {

  /** {@return what all of its devices are called, for example "cuda"} */
  String kind();

  /**
   * The devices that this machine has.
   *
   * @return descriptions in the order of their indices; empty if none can be used at all
   */
  List<String> descriptions();

  /**
   * Why a device cannot be used.
   *
   * @param index of the device
   * @return what was found, what is needed and how to get it, or empty if it can be used
   */
  Optional<String> obstacle(int index);

  /**
   * In which precision its devices train if nobody says otherwise.
   *
   * @return the fastest one whose trainings are known to end as those in float32 do
   */
  default Precision trainingPrecision() {
    return Precision.FLOAT32;
  }

  /**
   * How much memory a device has.
   *
   * @param index of the device
   * @return what is free and what there is, or empty where nobody can tell
   */
  default Optional<Memory> memory(int index) {
    return Optional.empty();
  }

  /**
   * The memory of a device.
   *
   * @param freeBytes that nobody uses now
   * @param totalBytes that it has
   */
  record Memory(long freeBytes, long totalBytes) {}

  /**
   * Opens a device.
   *
   * @param index of the device
   * @return the device, which the caller closes
   * @throws RuntimeException if it cannot be used
   */
  Device open(int index);
}
