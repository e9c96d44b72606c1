package org.ddpm4j.diffusion.editing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.GaussianFlow;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ImageToImageSamplerTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);

  private static PathSampler sampler(SamplerType type, Part part) {
    return SamplerConfig.of(type).create(SCHEDULE, part, X0Constraint.NONE);
  }

  private static Denoiser recording(List<NoiseLevel> levels) {
    return (xt, level) -> {
      levels.add(level);
      return GaussianFlow.DENOISER.denoise(xt, level);
    };
  }

  /**
   * The end of a run asks at the levels at which the whole run asks last; churn asks above them.
   */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "KARRAS_VE")
  void theEndOfARunIsItsEnd(SamplerType type) {
    PathSampler whole = sampler(type, Part.whole(20));
    PathSampler end = sampler(type, new Part(20, 8));
    List<NoiseLevel> atWhole = new ArrayList<>();
    List<NoiseLevel> atEnd = new ArrayList<>();
    whole.sample(recording(atWhole), NoiseSource.seeded(1, 0), SamplingObserver.NONE, 1, 1, 2, 2);
    end.sample(recording(atEnd), NoiseSource.seeded(1, 0), SamplingObserver.NONE, 1, 1, 2, 2);
    assertThat(end.steps()).isEqualTo(8);
    assertThat(atEnd).hasSize(end.evaluations());
    assertThat(end.first()).isEqualTo(atEnd.get(0));
    assertThat(whole.first()).isEqualTo(atWhole.get(0));
    if (atWhole.size() == 20) {
      assertThat(atEnd.stream().map(NoiseLevel::t).toList())
          .isEqualTo(atWhole.subList(12, 20).stream().map(NoiseLevel::t).toList());
    }
    assertThat(atWhole.stream().map(NoiseLevel::t)).contains(end.first().t());
    assertThat(atWhole.get(atWhole.size() - 1).t()).isEqualTo(atEnd.get(atEnd.size() - 1).t());
  }

  @ParameterizedTest
  @EnumSource
  void aRunFromTheUsualNoiseIsASample(SamplerType type) {
    PathSampler sampler = sampler(type, Part.whole(9));
    NoiseSource noise = NoiseSource.seeded(3, 0);
    INDArray start = sampler.initial(noise, 2, 1, 3, 3);
    INDArray copy = start.dup();
    INDArray denoised = sampler.denoise(GaussianFlow.DENOISER, start, noise, SamplingObserver.NONE);
    assertThat(denoised)
        .isEqualTo(sampler.sample(GaussianFlow.DENOISER, noise, SamplingObserver.NONE, 2, 1, 3, 3));
    assertThat(start).isEqualTo(copy);
  }

  /** On Gaussian data, samplers without noise take the noisy image where the flow takes it. */
  @ParameterizedTest
  @EnumSource(
      names = {
        "DDPM",
        "DPM_SOLVER_SDE",
        "DPM_SOLVER_EPS",
        "DPM_SOLVER_EPS_SDE",
        "DPM_SINGLESTEP_SDE",
        "DPM_SINGLESTEP_EPS",
        "DPM2_ANCESTRAL",
        "LCM",
        "CONSISTENCY",
        "SCORE_SDE",
        "KARRAS_VE",
        "SA_SOLVER",
        "EULER_ANCESTRAL",
        "DEIS"
      },
      mode = EnumSource.Mode.EXCLUDE)
  void denoisesTheNoisyImage(SamplerType type) {
    PathSampler sampler = sampler(type, Part.ofStrength(200, 0.5));
    INDArray image = Nd4j.createFromArray(-0.8, -0.1, 0.3, 0.9).reshape('c', 1, 1, 2, 2);
    INDArray eps = Nd4j.createFromArray(0.5, -1.2, 0.1, 2.0).reshape('c', 1, 1, 2, 2);
    INDArray edited =
        new ImageToImageSampler(sampler, image)
            .sample(
                GaussianFlow.DENOISER,
                (step, shape) -> eps.dup(),
                SamplingObserver.NONE,
                1,
                1,
                2,
                2);
    for (int i = 0; i < 4; i++) {
      NoiseLevel first = sampler.first();
      double noisy = first.alpha() * image.getDouble(i) + first.sigma() * eps.getDouble(i);
      assertThat(edited.getDouble(i))
          .isCloseTo(GaussianFlow.solution(noisy, first, NoiseLevel.CLEAN), within(0.02));
    }
  }

  @Test
  void lessStrengthKeepsMore() {
    INDArray image = Nd4j.valueArrayOf(new long[] {1, 1, 4, 4}, 0.9f, DataType.FLOAT);
    double before = 0;
    for (double strength : new double[] {0.1, 0.3, 0.6, 1}) {
      INDArray edited =
          new ImageToImageSampler(sampler(SamplerType.DDPM, Part.ofStrength(50, strength)), image)
              .sample(
                  GaussianFlow.DENOISER,
                  NoiseSource.seeded(1, 0),
                  SamplingObserver.NONE,
                  8,
                  1,
                  4,
                  4);
      double distance = edited.sub(0.9).norm2Number().doubleValue();
      assertThat(distance).as("strength %s", strength).isGreaterThan(before);
      before = distance;
    }
  }

  @Test
  void ofDdpmTheLastStepsAreTheSameSteps() {
    AncestralSampler whole = (AncestralSampler) sampler(SamplerType.DDPM, Part.whole(50));
    AncestralSampler end = (AncestralSampler) sampler(SamplerType.DDPM, new Part(50, 20));
    for (int i = 0; i < 20; i++) {
      assertThat(end.times().originalTimestep(i)).isEqualTo(whole.times().originalTimestep(i));
      assertThat(end.times().schedule().betas(i))
          .isCloseTo(whole.times().schedule().betas(i), within(1e-15));
    }
  }

  @ParameterizedTest
  @CsvSource({"50, 0.58, 29", "50, 1, 50", "10, 0.1, 1", "7, 0.5, 3", "1000, 0.001, 1"})
  void aStrengthIsAShareOfTheSteps(int steps, double strength, int last) {
    assertThat(Part.ofStrength(steps, strength)).isEqualTo(new Part(steps, last));
  }

  @ParameterizedTest
  @CsvSource({"50, 0, above 0", "50, 1.01, at most 1", "50, NaN, NaN", "10, 0.05, none of 10"})
  void otherStrengthsAreRefused(int steps, double strength, String part) {
    assertThatThrownBy(() -> Part.ofStrength(steps, strength))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(part);
  }

  @Test
  void noPartOfARunIsRefused() {
    assertThatThrownBy(() -> new Part(5, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Part(5, 6)).isInstanceOf(IllegalArgumentException.class);
  }

  /** One image, or one channel of it, goes as often as is drawn; no other size is stretched. */
  @Test
  void anImageIsRepeatedButNotStretched() {
    PathSampler end = sampler(SamplerType.DDIM, Part.ofStrength(10, 0.5));
    INDArray image = Nd4j.createFromArray(-0.8, -0.1, 0.3, 0.9).reshape('c', 1, 1, 2, 2);
    INDArray eps = NoiseSource.seeded(9, 0).gaussian(1, 3, 2, 2, 2).castTo(DataType.DOUBLE);
    INDArray initial =
        new ImageToImageSampler(end, image).initial((step, shape) -> eps.dup(), 3, 2, 2, 2);
    for (int i = 0; i < 24; i++) {
      double expected =
          end.first().alpha() * image.getDouble(i % 4) + end.first().sigma() * eps.getDouble(i);
      assertThat(initial.getDouble(i)).isCloseTo(expected, within(1e-12));
    }
    for (long[] other : new long[][] {{1, 1, 1, 2}, {1, 1, 2, 1}, {2, 1, 2, 2}, {1, 3, 2, 2}}) {
      ImageToImageSampler sampler = new ImageToImageSampler(end, Nd4j.zeros(other));
      assertThatThrownBy(() -> sampler.initial((step, shape) -> eps.dup(), 3, 2, 2, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("The image of shape [")
          .hasMessageEndingWith("does not fit images of [3, 2, 2, 2].");
    }
  }

  /** α x0 + σ ε, and of x0 = 0 nothing but σ ε. */
  @Test
  void aGivenNoiseIsTheNoiseOfTheImage() {
    PathSampler end = sampler(SamplerType.DDIM, Part.ofStrength(10, 0.5));
    INDArray given = NoiseSource.seeded(9, 0).gaussian(1, 1, 1, 2, 2);
    ImageToImageSampler sampler =
        new ImageToImageSampler(end, Nd4j.zeros(DataType.FLOAT, 1, 1, 2, 2));
    INDArray initial =
        sampler.initial(NoiseSource.startingFrom(given, NoiseSource.seeded(7, 0)), 1, 1, 2, 2);
    assertThat(initial).isEqualTo(given.mul((float) end.first().sigma()));
  }
}
