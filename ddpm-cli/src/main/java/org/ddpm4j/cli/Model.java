package org.ddpm4j.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.NoiseLevel;
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
 * @param nullClass the row of its class embedding that stands for none, if it has learned one
 * @param pipeline the folder whose scheduler says how to draw, if there is one
 */
record Model(
    Unet unet,
    Parameterization parameterization,
    NoiseSchedule schedule,
    ImageShape shape,
    Normalization normalization,
    List<String> classNames,
    OptionalInt nullClass,
    Optional<Path> pipeline) {

  Model {
    classNames = List.copyOf(classNames);
  }

  /** A network whose files say neither a null class nor how to draw. */
  Model(
      Unet unet,
      Parameterization parameterization,
      NoiseSchedule schedule,
      ImageShape shape,
      Normalization normalization,
      List<String> classNames) {
    this(
        unet,
        parameterization,
        schedule,
        shape,
        normalization,
        classNames,
        OptionalInt.empty(),
        Optional.empty());
  }

  /** The network of a run. */
  static Model of(Unet unet, RunConfig config) {
    boolean toldNone = config.training().objective().labelDropout() > 0;
    return new Model(
        unet,
        config.training().objective().parameterization(),
        config.schedule().create(),
        config.data().shape(),
        config.data().normalization(),
        config.data().classNames(),
        toldNone ? OptionalInt.of(config.model().classEmbeddings() - 1) : OptionalInt.empty(),
        Optional.empty());
  }

  /** The same with a null class that the user knows of. */
  Model withNullClass(int row) {
    int rows = unet.config().classEmbeddings();
    if (row < 0 || row >= rows || rows < 2) {
      throw new BadInputException(
          "The null class cannot be %d: it is one of at least two rows of the class embedding, counted from 0, and the network has %d."
              .formatted(row, rows));
    }
    return new Model(
        unet,
        parameterization,
        schedule,
        shape,
        normalization,
        classNames,
        OptionalInt.of(row),
        pipeline);
  }

  /** The network as a denoiser; the classes do not matter where it is told none. */
  ClassConditionalDenoiser denoiser() {
    return ClassConditionalDenoiser.ofAny(unet, parameterization, schedule);
  }

  /** Refuses networks whose images cannot be shown. */
  void requirePictures() {
    if (shape.channels() != 1 && shape.channels() != 3) {
      throw new BadInputException(
          "Images of %d channels cannot become pictures; only 1 (grey) and 3 (colour) can."
              .formatted(shape.channels()));
    }
  }

  /** Refuses to begin where the network's answer does not tell the image. */
  void requireX0(NoiseLevel first) {
    if (!parameterization.determinesX0(schedule, first)) {
      throw new BadInputException(
          "At the last timestep of this schedule nothing of the image is left, so that a network which predicts %s cannot begin there; take one that predicts v or x0, or a schedule that ends above zero, or begin below by --spacing leading."
              .formatted(parameterization));
    }
  }

  /** Whether the network is told classes. */
  boolean isClassConditional() {
    return unet.config().classEmbeddings() > 0;
  }
}
