package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Images with all that chance adds to them in a step of training.
 *
 * @param x0 images, {@code [N,C,H,W]}
 * @param labels the class of each image, {@code [N]}, where the network is told it
 * @param t the timestep of each image, zero-based, N of them
 * @param eps standard normal noise of x0's shape
 */
public record TrainingBatch(INDArray x0, Optional<INDArray> labels, int[] t, INDArray eps) {

  /**
   * Checks that the parts fit each other.
   *
   * @param x0 images
   * @param labels the class of each image
   * @param t the timestep of each image; not copied
   * @param eps standard normal noise
   * @throws IllegalArgumentException if numbers or shapes differ
   */
  public TrainingBatch {
    Objects.requireNonNull(labels, "labels");
    if (t.length != x0.size(0) || !Arrays.equals(x0.shape(), eps.shape())) {
      throw new IllegalArgumentException(
          "Images of shape %s do not go with noise of shape %s and %d timesteps."
              .formatted(Arrays.toString(x0.shape()), Arrays.toString(eps.shape()), t.length));
    }
    if (labels.isPresent() && labels.get().length() != t.length) {
      throw new IllegalArgumentException(
          "%d labels were given for %d images.".formatted(labels.get().length(), t.length));
    }
  }

  /** What a network is asked of these images once they are noisy; its arrays are temporary. */
  UnetInput noisy(NoiseSchedule schedule, Temporaries temporaries) {
    INDArray xt = new ForwardProcess(schedule).qSample(x0, t, eps);
    return new UnetInput(
        temporaries.add(xt), temporaries.add(Nd4j.createFromArray(t)), labels.orElse(null));
  }

  /**
   * The number of images.
   *
   * @return N
   */
  public int size() {
    return t.length;
  }
}
