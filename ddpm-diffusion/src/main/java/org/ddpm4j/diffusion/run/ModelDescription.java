package org.ddpm4j.diffusion.run;

import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * What sampling needs to know of a trained network beside its weights.
 *
 * @param network its architecture
 * @param parameterization what it predicts
 * @param schedule the noise that it was trained with
 * @param shape of the images
 * @param normalization how it sees pixels
 * @param classNames of the classes of the images, in their order, whether or not the network is
 *     class-conditional; empty if they are not known
 * @param nullClass the row of the class embedding that stands for no class, if one was trained
 */
public record ModelDescription(
    UnetConfig network,
    Parameterization parameterization,
    ScheduleConfig schedule,
    ImageShape shape,
    Normalization normalization,
    List<String> classNames,
    OptionalInt nullClass) {

  /**
   * Checks that the parts fit each other.
   *
   * @throws IllegalArgumentException if they do not
   */
  public ModelDescription {
    Objects.requireNonNull(classNames, "classNames");
    Objects.requireNonNull(normalization, "normalization");
    Objects.requireNonNull(nullClass, "nullClass");
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(shape, "shape");
    classNames = List.copyOf(classNames);
    normalization.requireChannels(shape.channels());
    if (network.imageChannels() != shape.channels()) {
      throw new IllegalArgumentException(
          Text.format(
              "The network takes images of %d channel(s), but the images have %d; set the network's channels to that.",
              network.imageChannels(), shape.channels()));
    }
    network.checkImageSize(shape.height(), shape.width());
    nullClass.ifPresent(row -> requireNullClass(row, network.classEmbeddings()));
  }

  /**
   * Of a network that is trained for an objective. With label dropout, the last row of its class
   * embedding is the null class.
   *
   * @param network its architecture
   * @param objective what it is trained for
   * @param schedule the noise
   * @param shape of the images
   * @param normalization how it sees pixels
   * @param classNames of the classes of the images; empty if they are not known
   * @return the description
   * @throws IllegalArgumentException if the parts do not fit each other
   */
  public static ModelDescription of(
      UnetConfig network,
      ObjectiveConfig objective,
      ScheduleConfig schedule,
      ImageShape shape,
      Normalization normalization,
      List<String> classNames) {
    Objects.requireNonNull(objective, "objective");
    Objects.requireNonNull(normalization, "normalization");
    Objects.requireNonNull(network, "network");
    objective.checkNetwork(network);
    return new ModelDescription(
        network,
        objective.parameterization(),
        schedule,
        shape,
        normalization,
        classNames,
        nullClass(network, objective));
  }

  static OptionalInt nullClass(UnetConfig network, ObjectiveConfig objective) {
    return objective.labelDropout() > 0 ? OptionalInt.of(network.nullClass()) : OptionalInt.empty();
  }

  /**
   * Checks that a row of a class embedding can stand for no class.
   *
   * @param row counted from 0
   * @param rows of the class embedding
   * @throws IllegalArgumentException if there is no such row, or no other
   */
  public static void requireNullClass(int row, int rows) {
    if (row < 0 || row >= rows || rows < 2) {
      throw new IllegalArgumentException(
          Text.format(
              "The null class cannot be %d: it is one of at least two rows of the class embedding, counted from 0, and the network has %d.",
              row, rows));
    }
  }
}
