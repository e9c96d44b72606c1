package org.ddpm4j.schedules;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** Betas of a formula of ᾱ: {@code β_t = 1 - ᾱ((t+1)/T) / ᾱ(t/T)}, but at most 0.999. */
final class AlphaCumprodBetas {

  /** Of Nichol and Dhariwal 2021, and of diffusers. */
  private static final double MAX_BETA = 0.999;

  private AlphaCumprodBetas() {}

  static double[] of(DoubleUnaryOperator alphaCumprod, int timesteps) {
    double[] betas = unclipped(alphaCumprod, timesteps);
    for (int t = 0; t < timesteps; t++) {
      betas[t] = Math.min(betas[t], MAX_BETA);
    }
    return betas;
  }

  static Clipping clipping(DoubleUnaryOperator alphaCumprod, int timesteps) {
    double[] betas = unclipped(alphaCumprod, timesteps);
    return new Clipping(0, (int) Arrays.stream(betas).filter(beta -> beta > MAX_BETA).count());
  }

  private static double[] unclipped(DoubleUnaryOperator alphaCumprod, int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = new double[timesteps];
    double previous = alphaCumprod.applyAsDouble(0);
    for (int t = 0; t < timesteps; t++) {
      double next = alphaCumprod.applyAsDouble((t + 1.0) / timesteps);
      betas[t] = 1 - next / previous;
      previous = next;
    }
    return betas;
  }
}
