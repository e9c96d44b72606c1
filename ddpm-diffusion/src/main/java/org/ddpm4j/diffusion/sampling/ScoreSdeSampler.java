package org.ddpm4j.diffusion.sampling;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Predictor and corrector on the variance-exploding SDE (Song et al. 2021b, algorithms 2 and 4, and
 * appendix G): steps of Langevin dynamics at a level, and then a step of reverse diffusion to the
 * next, of {@code z = x_t/α = x0 + ρ ε}. What is returned is the mean of the last step, without its
 * noise.
 *
 * <p>The step of Langevin dynamics is chosen image by image from the norms of noise and score, as
 * in the paper; diffusers takes the means of the norms over a batch.
 *
 * @param levels at which the denoiser is asked, at least one
 * @param jumps for each of them the two ρ between which the predictor goes; the second is 0 at the
 *     end
 * @param snr r of the corrector, positive
 * @param correctSteps of the corrector at every level, at least 0
 * @param x0Constraint applied to every estimate of x0
 */
public record ScoreSdeSampler(
    List<NoiseLevel> levels,
    List<Jump> jumps,
    double snr,
    int correctSteps,
    X0Constraint x0Constraint)
    implements PathSampler {

  /**
   * Where the predictor goes.
   *
   * @param from ρ
   * @param to ρ, less
   */
  public record Jump(double from, double to) {

    /**
     * Checks the ratios.
     *
     * @throws IllegalArgumentException if they do not fall
     */
    public Jump {
      if (!(from > to && to >= 0)) {
        throw new IllegalArgumentException(
            Text.format("The noise cannot go from %s to %s; it must fall.", from, to));
      }
    }

    private double variance() {
      return from * from - to * to;
    }
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public ScoreSdeSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(jumps, "jumps");
    levels = List.copyOf(levels);
    jumps = List.copyOf(jumps);
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    if (levels.isEmpty() || levels.size() != jumps.size()) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d levels and %d jumps; there must be one jump from each level.",
              levels.size(), jumps.size()));
    }
    if (!(snr > 0 && Double.isFinite(snr)) || correctSteps < 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The corrector cannot make %d steps at a signal-to-noise ratio of %s; it makes at least 0, at a positive ratio.",
              correctSteps, snr));
    }
  }

  @Override
  public int steps() {
    return levels.size();
  }

  @Override
  public int evaluations() {
    return steps() * (1 + correctSteps);
  }

  @Override
  public NoiseLevel first() {
    return levels.get(0);
  }

  @Override
  public INDArray initial(NoiseSource noise, long... shape) {
    return InitialNoise.OF_LEVEL.draw(first(), noise, shape);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray z = start.div(first().alpha());
    long draw = 1;
    for (int i = 0; i < steps(); i++) {
      NoiseLevel level = levels.get(i);
      for (int k = 0; k < correctSteps; k++) {
        INDArray score = score(denoiser, z, level).score();
        corrected(
            z,
            score.castTo(z.dataType()),
            noise.gaussian(draw++, start.shape()).castTo(z.dataType()));
      }
      Scored now = score(denoiser, z, level);
      Jump jump = jumps.get(i);
      INDArray mean = BatchArithmetic.combine(1, z, jump.variance(), now.score());
      boolean isLast = i == steps() - 1;
      if (!isLast) {
        noise.addTo(mean, Math.sqrt(jump.variance()), draw++);
      }
      z = mean;
      observer.onStep(
          i + 1, isLast ? z : BatchArithmetic.scale(levels.get(i + 1).alpha(), z), now.x0());
    }
    return z;
  }

  private record Scored(INDArray x0, INDArray score) {}

  /** The score of z is −ε/ρ. */
  private Scored score(Denoiser denoiser, INDArray z, NoiseLevel level) {
    ConstrainedEstimate estimate =
        ConstrainedEstimate.of(
            denoiser, BatchArithmetic.scale(level.alpha(), z), level, x0Constraint);
    return new Scored(estimate.x0(), estimate.eps().div(-level.rho()));
  }

  /** {@code z + δ score + √(2δ) noise} with {@code δ = 2 (r |noise|/|score|)²}, in its memory. */
  private void corrected(INDArray z, INDArray score, INDArray noise) {
    long images = z.size(0);
    INDArray slopes = score.reshape(images, -1);
    INDArray fresh = noise.reshape(images, -1);
    INDArray ratios = fresh.norm2(1).divi(slopes.norm2(1)).muli(snr);
    INDArray steps = ratios.mul(ratios).muli(2).reshape(images, 1);
    INDArray change = slopes.mulColumnVector(steps);
    change.addi(fresh.mulColumnVector(Transforms.sqrt(steps.mul(2))));
    z.addi(change.reshape(z.shape()));
  }
}
