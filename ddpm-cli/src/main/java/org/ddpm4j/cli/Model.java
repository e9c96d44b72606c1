package org.ddpm4j.cli;

import java.util.List;
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
 */
record Model(
    Unet unet,
    Parameterization parameterization,
    NoiseSchedule schedule,
    ImageShape shape,
    Normalization normalization,
    List<String> classNames) {

  Model {
    classNames = List.copyOf(classNames);
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
