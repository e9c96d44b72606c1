package org.ddpm4j.schedules;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** Betas of schedules that are stated as ᾱ: {@code β_t = 1 - ᾱ_t / ᾱ_prev}. */
final class AlphaCumprodBetas {

  /** Of Nichol and Dhariwal 2021, and of diffusers. */
  private static final double MAX_BETA = 0.999;

  private AlphaCumprodBetas() {}

  /**
   * The betas of a chain.
   *
   * @param first ᾱ before timestep 0
   * @param alphasCumprod ᾱ of each timestep
   */
  static double[] of(double first, double... alphasCumprod) {
    double[] betas = new double[alphasCumprod.length];
    double previous = first;
    for (int t = 0; t < betas.length; t++) {
      betas[t] = 1 - alphasCumprod[t] / previous;
      previous = alphasCumprod[t];
    }
    return betas;
  }

  /** The betas of noise-to-signal ratios ρ, which begin without noise: {@code ᾱ = 1/(1+ρ²)}. */
  static double[] ofRatios(double... ratios) {
    return of(1, Arrays.stream(ratios).map(ratio -> 1 / (1 + ratio * ratio)).toArray());
  }

  /** The betas of a formula of ᾱ over u = t/T in 0..1, but at most 0.999. */
  static double[] clipped(DoubleUnaryOperator alphaCumprod, int timesteps) {
    double[] betas = unclipped(alphaCumprod, timesteps);
    for (int t = 0; t < timesteps; t++) {
      betas[t] = Math.min(betas[t], MAX_BETA);
    }
    return betas;
  }

  /** How many betas of {@link #clipped} are not the formula's own. */
  static Clipping clipping(DoubleUnaryOperator alphaCumprod, int timesteps) {
    double[] betas = unclipped(alphaCumprod, timesteps);
    return new Clipping(0, (int) Arrays.stream(betas).filter(beta -> beta > MAX_BETA).count());
  }

  /** The betas of a formula of ᾱ over u = t/T in 0..1. */
  static double[] unclipped(DoubleUnaryOperator alphaCumprod, int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] alphasCumprod = new double[timesteps];
    Arrays.setAll(alphasCumprod, t -> alphaCumprod.applyAsDouble((t + 1.0) / timesteps));
    return of(alphaCumprod.applyAsDouble(0), alphasCumprod);
  }
}
