package org.ddpm4j.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;

/**
 * A network, and what drawing images with it takes.
 *
 * @param unet the network
 * @param parameterization what it predicts
 * @param schedule the one that it was trained with
 * @param shape of the images
 * @param normalization how it sees pixels
 * @param classNames of the classes that it was told, in their order; empty if they are not known
 * @param pipeline the folder whose scheduler says how to draw, if there is one
 */
record Model(
    Unet unet,
    Parameterization parameterization,
    NoiseSchedule schedule,
    ImageShape shape,
    Normalization normalization,
    List<String> classNames,
    Optional<Path> pipeline) {

  Model {
    classNames = List.copyOf(classNames);
  }

  /** A network that nothing says how to draw with. */
  Model(
      Unet unet,
      Parameterization parameterization,
      NoiseSchedule schedule,
      ImageShape shape,
      Normalization normalization,
      List<String> classNames) {
    this(unet, parameterization, schedule, shape, normalization, classNames, Optional.empty());
  }

  /** The network of a run. */
  static Model of(Unet unet, RunConfig config) {
    return new Model(
        unet,
        config.training().objective().parameterization(),
        config.schedule().create(),
        config.data().shape(),
        config.data().normalization(),
        config.data().classNames());
  }

  /** Whether the network is told classes. */
  boolean isClassConditional() {
    return unet.config().classEmbeddings() > 0;
  }
}
