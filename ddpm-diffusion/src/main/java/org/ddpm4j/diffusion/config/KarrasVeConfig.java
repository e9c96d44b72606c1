package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.KarrasVeSampler;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link KarrasVeSampler} as diffusers' {@code KarrasVeScheduler} and {@code KarrasVePipeline} run
 * it on images in [0,1], whose noise is half of that of images in [-1,1]. The levels go evenly in
 * their logarithms from σ_max² to σ_min², although a run begins with noise of the deviation σ_max:
 * diffusers leaves the root out, and so do we.
 *
 * @param sigmaMin {@code sigma_min}, positive
 * @param sigmaMax {@code sigma_max}, above it
 * @param noise {@code s_noise}
 * @param churn {@code s_churn}
 * @param churnFrom {@code s_min}
 * @param churnTo {@code s_max}
 */
public record KarrasVeConfig(
    double sigmaMin, double sigmaMax, double noise, double churn, double churnFrom, double churnTo)
    implements SamplerConfig.OwnTimes {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public KarrasVeConfig {
    if (!(sigmaMin > 0 && sigmaMax > sigmaMin && Double.isFinite(sigmaMax * sigmaMax))) {
      throw new IllegalArgumentException(
          Text.format(
              "sigma_min is %s and sigma_max %s; they must be positive, and the first the less.",
              sigmaMin, sigmaMax));
    }
    new KarrasVeSampler.Churn(churn, churnFrom, churnTo, noise);
  }

  /**
   * diffusers' defaults.
   *
   * @return from 100 to 0.02
   */
  public static KarrasVeConfig usual() {
    return new KarrasVeConfig(0.02, 100, 1.007, 80, 0.05, 50);
  }

  @Override
  public SamplerType type() {
    return SamplerType.KARRAS_VE;
  }

  /**
   * ρ of the last level.
   *
   * @return σ_min²/2
   */
  public double least() {
    return sigmaMin * sigmaMin / 2;
  }

  /**
   * ρ of the first level.
   *
   * @return σ_max²/2
   */
  public double greatest() {
    return sigmaMax * sigmaMax / 2;
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    int steps = part.steps();
    if (steps < 2) {
      throw new IllegalArgumentException(
          "The sampler karras-ve needs at least 2 steps, for its first and its last level.");
    }
    List<Double> ratios = new ArrayList<>();
    for (int i = steps - part.last(); i < steps; i++) {
      ratios.add(greatest() * Math.pow(least() / greatest(), (double) i / (steps - 1)));
    }
    return new KarrasVeSampler(
        ratios,
        ratio -> NoiseLevel.ofRho(schedule, ratio),
        new KarrasVeSampler.Churn(churn / steps, churnFrom / 2, churnTo / 2, noise),
        new KarrasVeSampler.Start(sigmaMax / 2, 0.5),
        x0Constraint);
  }
}
