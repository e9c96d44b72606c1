package org.ddpm4j.diffusion;

import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A model that is told the class of each image. */
@FunctionalInterface
public interface ConditionalDenoiser {

  /**
   * The denoiser of images of given classes.
   *
   * @param classes of the images of a batch, in their order
   * @return a denoiser of batches of as many images
   */
  Denoiser given(int... classes);

  /**
   * For a U-Net with class embeddings.
   *
   * @param unet the network
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @return the model
   * @throws IllegalArgumentException if the network knows no classes
   */
  static ConditionalDenoiser of(
      Unet unet, Parameterization parameterization, NoiseSchedule schedule) {
    if (unet.config().classEmbeddings() == 0) {
      throw new IllegalArgumentException(
          "The network knows no classes; sample without, or train one with class embeddings.");
    }
    return classes -> {
      INDArray labels = Nd4j.createFromArray(classes);
      return new NetworkDenoiser(
          (x, t) -> unet.predict(new UnetInput(x, t, labels)), parameterization, schedule);
    };
  }
}
