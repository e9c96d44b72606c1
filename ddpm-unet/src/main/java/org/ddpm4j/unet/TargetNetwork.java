package org.ddpm4j.unet;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * A network whose answers make the target of one that is trained on a device.
 *
 * @param unet the network, which computes there with its own precision; told classes if the trained
 *     one is
 * @param average which of the training's further moving averages its parameters are; empty if they
 *     stay as they are
 */
public record TargetNetwork(Unet unet, OptionalInt average) {

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   */
  public TargetNetwork {
    Objects.requireNonNull(unet, "unet");
    Objects.requireNonNull(average, "average");
  }
}
