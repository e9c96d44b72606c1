package org.ddpm4j.cuda;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceProvider;
import org.ddpm4j.kernels.plan.Precision;

/** NVIDIA's cards as devices. */
public final class CudaDeviceProvider implements DeviceProvider {

  /** For the service loader. */
  public CudaDeviceProvider() {}

  @Override
  public String kind() {
    return "cuda";
  }

  @Override
  public List<String> descriptions() {
    return NvidiaCard.all().stream().map(NvidiaCard::description).toList();
  }

  @Override
  public Optional<String> obstacle(int index) {
    if (NvidiaCard.obstacle() != null) {
      return Optional.of(NvidiaCard.obstacle());
    }
    List<NvidiaCard> cards = NvidiaCard.all();
    if (index >= cards.size()) {
      return Optional.of(
          String.format(Locale.ROOT, "this machine has %d of them, numbered from 0", cards.size()));
    }
    return Optional.ofNullable(cards.get(index).ownObstacle());
  }

  @Override
  public Precision trainingPrecision() {
    return Precision.BFLOAT16;
  }

  @Override
  public Optional<Memory> memory(int index) {
    List<NvidiaCard> cards = NvidiaCard.all();
    return index < cards.size() ? cards.get(index).memory() : Optional.empty();
  }

  @Override
  public Device open(int index) {
    return new CudaDevice(new NvidiaDriver(index));
  }
}
