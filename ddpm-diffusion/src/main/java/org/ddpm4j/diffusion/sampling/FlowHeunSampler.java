package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Heun's method on a rectified flow, {@code dz/ds = ε - x0} with {@code z = (1-s) x0 + s ε} (Liu et
 * al. 2023, eq. 1; diffusers' {@code FlowMatchHeunDiscreteScheduler}): a step of Euler's, and then
 * the same step with the mean of the velocities at both its ends. Onto clean images it is Euler's
 * alone. Euler's method on the flow is {@link EulerSampler}'s, whatever the scale.
 *
 * @param levels of the run, the first of which may be without any signal
 * @param x0Constraint applied to every estimate of x0
 */
public record FlowHeunSampler(NoiseLevels levels, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Checks that nothing is missing. */
  public FlowHeunSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = 0; i < steps(); i++) {
      NoiseLevel from = levels.step(i).from();
      NoiseLevel to = levels.step(i).to();
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, from, x0Constraint);
      INDArray reached = levels.step(i).ddim(now.x0(), now.eps());
      INDArray x0 = now.x0();
      if (to.sigma() > 0) {
        ConstrainedEstimate end = ConstrainedEstimate.of(denoiser, reached, to, x0Constraint);
        INDArray velocity = BatchArithmetic.combine(0.5, velocity(now), 0.5, velocity(end));
        double length = share(to) - share(from);
        reached = BatchArithmetic.combine(scale(to) / scale(from), x, scale(to) * length, velocity);
        x0 = end.x0();
      }
      x = reached;
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }

  private static INDArray velocity(ConstrainedEstimate estimate) {
    return BatchArithmetic.combine(1, estimate.eps(), -1, estimate.x0());
  }

  /** x_t/z. */
  private static double scale(NoiseLevel level) {
    return level.alpha() + level.sigma();
  }

  /** s. */
  private static double share(NoiseLevel level) {
    return level.sigma() / scale(level);
  }

  @Override
  public int evaluations() {
    return steps() + (int) levels.path().stream().filter(step -> step.to().sigma() > 0).count();
  }
}
