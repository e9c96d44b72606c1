package org.ddpm4j.diffusion.random;

import java.util.Objects;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where samplers get their Gaussian noise from. */
@FunctionalInterface
public interface NoiseSource {

  /**
   * Standard normal noise.
   *
   * @param step which draw of the run: the same step gives the same noise
   * @param shape {@code [N,C,H,W]}
   * @return a new array of independent values from N(0,1), of that shape; its type, FLOAT or
   *     DOUBLE, becomes that of the state
   */
  INDArray gaussian(long step, long... shape);

  /**
   * The same noise for all images of a batch, so that they differ by what they begin with alone.
   *
   * @param seed chosen by the user
   * @param image the number of the image whose noise {@link #seeded(long, long)} would be
   * @return the source
   */
  static NoiseSource shared(long seed, long image) {
    NoiseSource source = seeded(seed, image);
    return (step, shape) -> {
      long[] one = shape.clone();
      one[0] = 1;
      INDArray noise = source.gaussian(step, one);
      return noise.broadcast(shape).dup('c');
    };
  }

  /**
   * What a run begins with: the noise that its first state is made of. Draw {@code step} like any
   * other, unless the source was {@linkplain #startingFrom given} it.
   *
   * @param step which draw of the run this would be
   * @param shape {@code [N,C,H,W]}
   * @return a new array of that shape
   */
  default INDArray initial(long step, long... shape) {
    return gaussian(step, shape);
  }

  /**
   * Adds noise to a state.
   *
   * @param x {@code [N,C,H,W]}, becomes {@code x + factor·noise}
   * @param factor of the noise
   * @param step which draw of the run
   */
  default void addTo(INDArray x, double factor, long step) {
    BatchArithmetic.addScaled(x, factor, gaussian(step, x.shape()));
  }

  /**
   * Noise whose every element depends on the seed, the image's number, the step and its place in
   * the image alone ({@link CounterRandom}). An image therefore does not change with the size of
   * the batch that it is drawn in. Steps and numbers of images are in 0..2³²-1.
   *
   * @param seed chosen by the user
   * @param firstImage the number of the first image of the batch
   * @return the source
   */
  static NoiseSource seeded(long seed, long firstImage) {
    return new SeededNoise(new CounterRandom(seed, Purpose.SAMPLING_NOISE), firstImage);
  }

  /**
   * The noise of a batch whose images have seeds of their own: each image's is what {@link
   * #seeded(long, long)} gives it, so that it is the same in any company.
   *
   * @param seeds of the images, in the order of the batch
   * @param numbers of the images, as many
   * @return the source, for batches of these images
   * @throws IllegalArgumentException if there are not as many seeds as numbers
   */
  static NoiseSource seeded(long[] seeds, long[] numbers) {
    Objects.requireNonNull(seeds, "seeds");
    Objects.requireNonNull(numbers, "numbers");
    return new SeededImages(seeds, numbers);
  }

  /**
   * Begins runs with a given noise, for example that of another program, and draws the rest
   * elsewhere.
   *
   * @param initial {@code [N,C,H,W]}, FLOAT or DOUBLE; read whenever a run begins, never written to
   * @param later what {@link #gaussian} gives, for samplers that add noise on the way
   * @return a source for runs of N images of that shape
   * @throws IllegalArgumentException if the noise is of another type or not of four dimensions
   */
  static NoiseSource startingFrom(INDArray initial, NoiseSource later) {
    return new GivenStart(initial, later);
  }
}
