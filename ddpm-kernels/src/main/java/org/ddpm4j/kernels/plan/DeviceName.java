package org.ddpm4j.kernels.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * What users call a device: "cpu", "cuda" for the first card, "cuda:1" for the second, or "auto"
 * for the fastest that there is.
 *
 * @param kind of the device, lower case
 * @param index among those of its kind, zero-based
 */
public record DeviceName(String kind, int index) {

  /** The fastest that there is. */
  public static final DeviceName AUTO = new DeviceName("auto", 0);

  /** This machine's processor. */
  public static final DeviceName CPU = new DeviceName("cpu", 0);

  /**
   * Checks the name.
   *
   * @throws IllegalArgumentException if it cannot be one
   */
  public DeviceName {
    Objects.requireNonNull(kind, "kind");
    if (!kind.equals(kind.toLowerCase(Locale.ROOT)) || kind.isBlank() || index < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "No device is called %s:%d; say auto, cpu, cuda or cuda:N.",
              kind,
              index));
    }
    if (index > 0 && (kind.equals("cpu") || kind.equals("auto"))) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "There is no device %s:%d; say %s alone.", kind, index, kind));
    }
  }

  /**
   * Reads a name.
   *
   * @param text for example "cuda:1"
   * @return the name
   * @throws IllegalArgumentException if it cannot be one
   */
  public static DeviceName parse(String text) {
    String[] parts = text.trim().toLowerCase(Locale.ROOT).split(":", -1);
    if (parts.length <= 2 && (parts.length == 1 || parts[1].matches("[0-9]{1,4}"))) {
      return new DeviceName(parts[0], parts.length == 1 ? 0 : Integer.parseInt(parts[1]));
    }
    throw new IllegalArgumentException(
        String.format(Locale.ROOT, "No device is called %s; say auto, cpu, cuda or cuda:N.", text));
  }

  /**
   * Reads the names of one device, or of several that work together.
   *
   * @param text for example "cuda:0,1" or "cuda:0,cuda:1"
   * @return the names, at least one
   * @throws IllegalArgumentException if they cannot be some
   */
  public static List<DeviceName> parseAll(String text) {
    List<DeviceName> names = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      boolean isIndex = !names.isEmpty() && part.trim().matches("[0-9]{1,4}");
      names.add(isIndex ? parse(names.get(0).kind() + ":" + part.trim()) : parse(part));
    }
    return List.copyOf(names);
  }

  @Override
  public String toString() {
    return equals(AUTO) || equals(CPU) ? kind : kind + ":" + index;
  }
}
