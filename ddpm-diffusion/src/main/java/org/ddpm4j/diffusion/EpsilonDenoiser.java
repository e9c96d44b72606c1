package org.ddpm4j.diffusion;

import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network that predicts the noise ε (Ho et al. 2020, section 3.2), as a denoiser.
 *
 * @param network predicts ε from x_t and t
 * @param schedule the one that the network was trained with
 */
public record EpsilonDenoiser(Network network, NoiseSchedule schedule) implements Denoiser {

  /** {@code x0 = (x_t - √(1-ᾱ_t) ε)/√ᾱ_t}, eq. 4 solved for x0. */
  @Override
  public Estimate denoise(INDArray xt, int t) {
    INDArray eps =
        network.predict(xt, Nd4j.valueArrayOf(new long[] {xt.size(0)}, t, DataType.INT32));
    INDArray x0 =
        xt.sub(eps.mul(schedule.sqrtOneMinusAlphasCumprod(t))).divi(schedule.sqrtAlphasCumprod(t));
    return new Estimate(x0, eps);
  }
}
