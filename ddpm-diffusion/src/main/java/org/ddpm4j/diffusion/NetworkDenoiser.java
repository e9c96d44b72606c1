package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A network as a denoiser. One that answers with twice as many channels as it is given has learned
 * the variance too: the second half then interpolates it (Nichol and Dhariwal 2021, eq. 15).
 *
 * @param network of the noisy image and the time
 * @param parameterization what the network predicts
 * @param schedule the one that the network was trained with
 */
public record NetworkDenoiser(
    Network network, Parameterization parameterization, NoiseSchedule schedule)
    implements Denoiser {

  /** Checks that nothing is missing. */
  public NetworkDenoiser {
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(schedule, "schedule");
  }

  /**
   * A network that may condition on itself.
   *
   * @param network of the noisy image, before which its estimate stands where it conditions on it
   * @param selfConditions whether it does; the denoiser is then of one run and not thread-safe
   * @param parameterization what the network predicts
   * @param schedule the one that the network was trained with
   * @return the denoiser
   */
  public static Denoiser of(
      Network network,
      boolean selfConditions,
      Parameterization parameterization,
      NoiseSchedule schedule) {
    if (!selfConditions) {
      return new NetworkDenoiser(network, parameterization, schedule);
    }
    SelfConditioning conditioning = new SelfConditioning();
    return conditioning.remember(
        new NetworkDenoiser(conditioning.condition(network), parameterization, schedule));
  }

  /**
   * The estimate at a timestep.
   *
   * @param xt noisy images, {@code [N,C,H,W]}
   * @param t the timestep of all of them, zero-based
   * @return the estimate
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public Estimate denoise(INDArray xt, int t) {
    return denoise(xt, NoiseLevel.of(schedule, t));
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the prediction does not tell x0 at that level, see {@link
   *     Parameterization#estimate(NoiseSchedule, INDArray, INDArray, NoiseLevel)}
   * @throws NotFiniteException if what the network answers is not finite
   */
  @Override
  public Estimate denoise(INDArray xt, NoiseLevel level) {
    Objects.requireNonNull(xt, "xt");
    double time = parameterization.time(schedule, level);
    boolean isWhole = time == Math.rint(time);
    INDArray times =
        Nd4j.valueArrayOf(new long[] {xt.size(0)}, time, isWhole ? DataType.INT32 : xt.dataType());
    double factor = parameterization.inputFactor(level);
    INDArray input = factor == 1 ? xt : BatchArithmetic.scale(factor, xt);
    INDArray output =
        Objects.requireNonNull(network.predict(input, times), "the network's prediction");
    NotFiniteException.requireFinite(xt, output, level.t());
    return estimate(xt, output, level);
  }

  private Estimate estimate(INDArray xt, INDArray output, NoiseLevel level) {
    long channels = xt.size(1);
    long[] same = xt.shape().clone();
    if (Arrays.equals(output.shape(), same)) {
      return parameterization.estimate(schedule, xt, output, level);
    }
    same[1] = 2 * channels;
    if (!Arrays.equals(output.shape(), same)) {
      throw new IllegalStateException(
          Text.format(
              "The network answers images of the shape %s with %s; it must be the same, or with twice as many channels where it has learned a variance.",
              Arrays.toString(xt.shape()), Arrays.toString(output.shape())));
    }
    Estimate estimate =
        parameterization.estimate(schedule, xt, channels(output, 0, channels), level);
    return new Estimate(
        estimate.x0(),
        estimate.eps(),
        Optional.of(channels(output, channels, 2 * channels).dup('c')));
  }

  private static INDArray channels(INDArray output, long first, long end) {
    return Views.of(output, NDArrayIndex.all(), NDArrayIndex.interval(first, end));
  }
}
