package org.ddpm4j.diffusion.editing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.GaussianFlow;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** On Gaussian data, whose probability flow is known exactly. */
class DdimInversionTest {

  private static final double[] IMAGES = {-0.9, -0.2, 0.3, 0.8};

  private static INDArray images() {
    return Nd4j.createFromArray(IMAGES).reshape('c', 4, 1, 1, 1);
  }

  /** Evenly spaced in λ from -4 to 3. */
  private static NoiseLevels levels(int steps) {
    List<NoiseLevel> levels = new ArrayList<>();
    for (int i = 0; i <= steps; i++) {
      double lambda = -4 + 7.0 * i / steps;
      levels.add(new NoiseLevel(steps - i, 1 / (1 + Math.exp(-2 * lambda))));
    }
    return new NoiseLevels(levels, InitialNoise.STANDARD);
  }

  private static double latentError(int steps) {
    NoiseLevels levels = levels(steps);
    INDArray latents =
        new DdimInversion(levels).invert(GaussianFlow.DENOISER, images(), SamplingObserver.NONE);
    double worst = 0;
    for (int i = 0; i < IMAGES.length; i++) {
      double exact = GaussianFlow.solution(IMAGES[i], levels.levels().get(steps), levels.first());
      worst = Math.max(worst, Math.abs(latents.getDouble(i) - exact));
    }
    return worst;
  }

  private static double reconstructionError(int steps, int iterations) {
    DdimInversion inversion = new DdimInversion(levels(steps), iterations);
    INDArray latents = inversion.invert(GaussianFlow.DENOISER, images(), SamplingObserver.NONE);
    INDArray again =
        inversion
            .decoder()
            .denoise(
                GaussianFlow.DENOISER, latents, NoiseSource.seeded(0, 0), SamplingObserver.NONE);
    return again.sub(images()).normmaxNumber().doubleValue();
  }

  @Test
  void theLatentIsOfFirstOrder() {
    double coarse = latentError(80);
    double fine = latentError(160);
    assertThat(coarse / fine).isCloseTo(2, within(0.1));
    assertThat(fine).isLessThan(0.05);
  }

  @Test
  void moreStepsReconstructBetter() {
    double coarse = reconstructionError(80, 1);
    double fine = reconstructionError(160, 1);
    assertThat(coarse / fine).isCloseTo(2, within(0.1));
  }

  @Test
  void iterationsLeadToTheExactInverse() {
    double one = reconstructionError(40, 1);
    double two = reconstructionError(40, 2);
    double many = reconstructionError(40, 40);
    assertThat(two).isLessThan(one / 3);
    assertThat(many).isLessThan(1e-10);
  }

  /** Onto clean images, too, where ρ is 0. */
  @Test
  void inversionStartsAtCleanImages() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    NoiseLevels levels = NoiseLevels.of(schedule, TimestepSpacing.LEADING, 100);
    DdimInversion inversion = new DdimInversion(levels, 30);
    INDArray latents = inversion.invert(GaussianFlow.DENOISER, images(), SamplingObserver.NONE);
    INDArray again =
        inversion
            .decoder()
            .denoise(
                GaussianFlow.DENOISER, latents, NoiseSource.seeded(0, 0), SamplingObserver.NONE);
    assertThat(again.sub(images()).normmaxNumber().doubleValue()).isLessThan(1e-9);
    double exact = GaussianFlow.solution(IMAGES[0], NoiseLevel.CLEAN, levels.first());
    assertThat(latents.getDouble(0)).isCloseTo(exact, within(0.1));
  }

  /** One step up by hand, with x0 clipped as diffusers' clip_sample does. */
  @Test
  void theEstimateOfTheImageCanBeClipped() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    NoiseLevels levels = NoiseLevels.of(schedule, 500, 200).endingAt(NoiseLevel.of(schedule, 0));
    NoiseLevels one = levels.last(1);
    DdimInversion inversion = new DdimInversion(one, 1, X0Constraint.clip(-0.25, 0.25));
    INDArray latents = inversion.invert(GaussianFlow.DENOISER, images(), SamplingObserver.NONE);
    NoiseLevel noisy = NoiseLevel.of(schedule, 200);
    NoiseLevel clean = NoiseLevel.of(schedule, 0);
    INDArray eps = GaussianFlow.DENOISER.denoise(images(), noisy).eps();
    for (int i = 0; i < latents.length(); i++) {
      double e = eps.getDouble(i);
      double x0 = (images().getDouble(i) - clean.sigma() * e) / clean.alpha();
      double clipped = Math.max(-0.25, Math.min(0.25, x0));
      assertThat(latents.getDouble(i))
          .isCloseTo(noisy.alpha() * clipped + noisy.sigma() * e, within(1e-9));
    }
  }

  @Test
  void theObserverSeesEveryStepAndTheDenoiserIsAskedAsOftenAsIsSaid() {
    DdimInversion inversion = new DdimInversion(levels(7), 3);
    int[] asked = {0};
    List<Integer> told = new ArrayList<>();
    INDArray given = images();
    inversion.invert(
        (xt, level) -> {
          asked[0]++;
          return GaussianFlow.DENOISER.denoise(xt, level);
        },
        given,
        (done, x, x0) -> told.add(done));
    assertThat(told).containsExactly(1, 2, 3, 4, 5, 6, 7).hasSize(inversion.steps());
    assertThat(asked[0]).isEqualTo(21).isEqualTo(inversion.evaluations());
    assertThat(given).isEqualTo(images());
  }

  @Test
  void noIterationsAreRefused() {
    assertThatThrownBy(() -> new DdimInversion(levels(3), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 1");
  }
}
