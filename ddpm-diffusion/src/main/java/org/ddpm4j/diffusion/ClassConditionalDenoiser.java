package org.ddpm4j.diffusion;

import java.util.Objects;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A class-conditional model: its estimates depend on the class of each image. */
@FunctionalInterface
public interface ClassConditionalDenoiser {

  /**
   * The denoiser of images of given classes.
   *
   * @param classes of the images of a batch, in their order
   * @return a denoiser of batches of as many images
   */
  Denoiser withClasses(int... classes);

  /**
   * An unconditional model, which leaves the classes out of account.
   *
   * @param denoiser the model
   * @return the same for all classes
   */
  static ClassConditionalDenoiser unconditional(Denoiser denoiser) {
    Objects.requireNonNull(denoiser, "denoiser");
    return classes -> denoiser;
  }

  /**
   * For a U-Net with a class embedding.
   *
   * @param unet the network
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @return the model
   * @throws IllegalArgumentException if the network knows no classes
   */
  static ClassConditionalDenoiser of(
      Unet unet, Parameterization parameterization, NoiseSchedule schedule) {
    Objects.requireNonNull(unet, "unet");
    if (unet.config().classEmbeddings() == 0) {
      throw new IllegalArgumentException(
          "The network knows no classes; sample without, or train one with class embeddings.");
    }
    return classes -> {
      INDArray labels = Nd4j.createFromArray(classes);
      return NetworkDenoiser.of(
          (x, t) -> unet.predict(new UnetInput(x, t, labels)),
          unet.config().selfConditions(),
          parameterization,
          schedule);
    };
  }

  /**
   * For any U-Net.
   *
   * @param unet the network
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @return the model, {@linkplain #unconditional unconditional} if there is no class embedding
   */
  static ClassConditionalDenoiser ofAny(
      Unet unet, Parameterization parameterization, NoiseSchedule schedule) {
    Objects.requireNonNull(unet, "unet");
    if (unet.config().classEmbeddings() > 0) {
      return of(unet, parameterization, schedule);
    }
    return unet.config().selfConditions()
        // Of its own for each run, because it remembers.
        ? classes -> NetworkDenoiser.of(unet::predict, true, parameterization, schedule)
        : unconditional(new NetworkDenoiser(unet::predict, parameterization, schedule));
  }
}
