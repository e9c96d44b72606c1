package org.ddpm4j.kernels.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;

/** The devices beside this machine's processor. */
public final class Devices {

  private Devices() {}

  /** Looked for once. */
  private static final class Found {
    static final List<DeviceProvider> PROVIDERS = load();

    private static List<DeviceProvider> load() {
      List<DeviceProvider> providers = new ArrayList<>();
      ServiceLoader.load(DeviceProvider.class, Devices.class.getClassLoader())
          .forEach(providers::add);
      return List.copyOf(providers);
    }
  }

  /** {@return the kinds of devices whose modules are on the class path} */
  public static List<DeviceProvider> providers() {
    return Found.PROVIDERS;
  }

  /**
   * The first device beside the processor that can be used.
   *
   * @return its name, or empty where there is none
   */
  public static Optional<DeviceName> fastest() {
    for (DeviceProvider provider : providers()) {
      int count = provider.descriptions().size();
      for (int i = 0; i < count; i++) {
        if (provider.obstacle(i).isEmpty()) {
          return Optional.of(new DeviceName(provider.kind(), i));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Why a device cannot be used.
   *
   * @param name not "auto"
   * @return one sentence without its end, or empty if it can be used
   */
  public static Optional<String> obstacle(DeviceName name) {
    if (name.equals(DeviceName.CPU)) {
      return Optional.empty();
    }
    Optional<DeviceProvider> provider = provider(name);
    return provider.isEmpty()
        ? Optional.of(
            String.format(
                Locale.ROOT,
                "the class path has modules for the devices %s only; choose one of them, or add the module of another, such as ddpm-cuda for NVIDIA's cards, which are called cuda",
                kinds()))
        : provider.get().obstacle(name.index());
  }

  private static String kinds() {
    StringBuilder kinds = new StringBuilder(DeviceName.CPU.kind());
    providers().forEach(provider -> kinds.append(", ").append(provider.kind()));
    return kinds.toString();
  }

  /**
   * What a device is.
   *
   * @param name neither "auto" nor "cpu"
   * @return a few words for people, or empty if there is no such device
   */
  public static Optional<String> description(DeviceName name) {
    return provider(name)
        .map(DeviceProvider::descriptions)
        .filter(descriptions -> name.index() < descriptions.size())
        .map(descriptions -> descriptions.get(name.index()));
  }

  /**
   * In which precision a device trains if nobody says otherwise.
   *
   * @param name not "auto"
   * @return float32 on the processor
   */
  public static Precision trainingPrecision(DeviceName name) {
    return provider(name).map(DeviceProvider::trainingPrecision).orElse(Precision.FLOAT32);
  }

  /**
   * Opens a device.
   *
   * @param name neither "auto" nor "cpu"
   * @return the device, which the caller closes
   * @throws IllegalArgumentException if it cannot be used
   */
  public static Device open(DeviceName name) {
    Optional<String> obstacle = obstacle(name);
    if (obstacle.isPresent()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The device %s cannot be used: %s.", name, obstacle.get()));
    }
    return provider(name).orElseThrow().open(name.index());
  }

  private static Optional<DeviceProvider> provider(DeviceName name) {
    return providers().stream().filter(p -> p.kind().equals(name.kind())).findFirst();
  }
}
