package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Images with all that chance adds to them in a step of training. Noise is not made before it is
 * asked for, and not at all for objectives that want none.
 *
 * @param x0 images, {@code [N,C,H,W]}
 * @param labels the class of each image, {@code [N]}, where the network is told it
 * @param t the timestep of each image, zero-based, N of them
 * @param random what noise and other choices are drawn from
 * @param givenEps noise of x0's shape in place of the one that would be drawn
 */
public record TrainingBatch(
    INDArray x0,
    Optional<INDArray> labels,
    int[] t,
    BatchRandom random,
    Optional<INDArray> givenEps) {

  /**
   * Checks that the parts fit each other.
   *
   * @throws IllegalArgumentException if numbers or shapes differ
   */
  public TrainingBatch {
    Objects.requireNonNull(x0, "x0");
    Objects.requireNonNull(t, "t");
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(random, "random");
    Objects.requireNonNull(givenEps, "givenEps");
    if (t.length != x0.size(0)) {
      throw new IllegalArgumentException(
          Text.format(
              "Images of shape %s do not go with %d timestep(s).",
              Arrays.toString(x0.shape()), t.length));
    }
    if (givenEps.isPresent() && !Arrays.equals(x0.shape(), givenEps.get().shape())) {
      throw new IllegalArgumentException(
          Text.format(
              "Images of shape %s do not go with noise of shape %s.",
              Arrays.toString(x0.shape()), Arrays.toString(givenEps.get().shape())));
    }
    if (labels.isPresent() && labels.get().length() != t.length) {
      throw new IllegalArgumentException(
          Text.format("%d labels were given for %d image(s).", labels.get().length(), t.length));
    }
  }

  /**
   * Images whose noise is drawn.
   *
   * @param x0 images
   * @param labels the class of each image
   * @param t the timestep of each image; not copied
   * @param random what noise and other choices are drawn from
   * @throws IllegalArgumentException if numbers or shapes differ
   */
  public TrainingBatch(INDArray x0, Optional<INDArray> labels, int[] t, BatchRandom random) {
    this(x0, labels, t, random, Optional.empty());
  }

  /**
   * Images with a given noise; other choices are those of seed 0.
   *
   * @param x0 images
   * @param labels the class of each image
   * @param t the timestep of each image; not copied
   * @param eps noise of x0's shape, which stays the caller's
   * @throws IllegalArgumentException if numbers or shapes differ
   */
  public TrainingBatch(INDArray x0, Optional<INDArray> labels, int[] t, INDArray eps) {
    this(
        x0,
        labels,
        t,
        new BatchRandom(new CounterRandom(0, Purpose.TRAINING_NOISE), 0, 0),
        Optional.of(Objects.requireNonNull(eps, "eps")));
  }

  /**
   * What a network is asked of these images once they are noisy.
   *
   * @param input of the network
   * @param eps the noise
   */
  record Noisy(UnetInput input, INDArray eps) {}

  /** Makes the images noisy as a network of x_t is given them, by temporary arrays. */
  Noisy noisy(NoiseSchedule schedule, Temporaries temporaries) {
    return noisy(schedule, Parameterization.EPSILON, temporaries);
  }

  /** Makes the images noisy as a network is given them, by temporary arrays. */
  Noisy noisy(NoiseSchedule schedule, Parameterization parameterization, Temporaries temporaries) {
    INDArray eps = givenEps.orElseGet(() -> temporaries.add(random.gaussian(x0.shape())));
    INDArray input = temporaries.add(parameterization.input(schedule, x0, eps, t));
    INDArray times = temporaries.add(times(schedule, parameterization));
    return new Noisy(new UnetInput(input, times, labels.orElse(null)), eps);
  }

  /** Whole numbers where these are the timesteps. */
  private INDArray times(NoiseSchedule schedule, Parameterization parameterization) {
    if (!parameterization.scales()) {
      return Nd4j.createFromArray(t);
    }
    INDArray times = Nd4j.create(x0.dataType(), t.length);
    for (int i = 0; i < t.length; i++) {
      times.putScalar(i, parameterization.time(schedule, NoiseLevel.of(schedule, t[i])));
    }
    return times;
  }

  /**
   * The noise ε of the images, the same each time.
   *
   * @return a new array of x0's shape, the caller's to close
   */
  public INDArray eps() {
    return givenEps.map(eps -> eps.dup('c')).orElseGet(() -> random.gaussian(x0.shape()));
  }

  /**
   * Which elements a network with dropout drops as it is trained on these images, for {@link
   * UnetInput#withDropout}.
   *
   * @return the key of the masks
   */
  public BatchKey dropout() {
    return random.key(Purpose.DROPOUT);
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
