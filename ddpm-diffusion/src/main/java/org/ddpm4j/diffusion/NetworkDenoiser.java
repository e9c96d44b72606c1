package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
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

  /**
   * Checks that nothing is missing.
   *
   * @param network of the noisy image and the time
   * @param parameterization what the network predicts
   * @param schedule the one that the network was trained with
   * @throws NullPointerException if one is missing
   */
  public NetworkDenoiser {
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(schedule, "schedule");
  }

  @Override
  public Estimate denoise(INDArray xt, int t) {
    INDArray output =
        network.predict(xt, Nd4j.valueArrayOf(new long[] {xt.size(0)}, t, DataType.INT32));
    return estimate(xt, output, timesteps(xt, t));
  }

  private Estimate estimate(INDArray xt, INDArray output, int[] t) {
    long channels = xt.size(1);
    if (output.size(1) == channels) {
      return parameterization.estimate(schedule, xt, output, t);
    }
    if (output.size(1) != 2 * channels) {
      throw new IllegalStateException(
          "The network answers images of %d channels with %d; it must be as many, or twice as many with a learned variance."
              .formatted(channels, output.size(1)));
    }
    Estimate estimate = parameterization.estimate(schedule, xt, channels(output, 0, channels), t);
    return new Estimate(
        estimate.x0(),
        estimate.eps(),
        Optional.of(channels(output, channels, 2 * channels).dup('c')));
  }

  private static INDArray channels(INDArray output, long first, long end) {
    return output.get(NDArrayIndex.all(), NDArrayIndex.interval(first, end));
  }

  private static int[] timesteps(INDArray xt, int t) {
    int[] timesteps = new int[Math.toIntExact(xt.size(0))];
    Arrays.fill(timesteps, t);
    return timesteps;
  }
}
