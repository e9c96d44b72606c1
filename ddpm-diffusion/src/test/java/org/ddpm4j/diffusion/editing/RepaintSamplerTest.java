package org.ddpm4j.diffusion.editing;

import static java.util.Comparator.reverseOrder;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.GaussianFlow;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class RepaintSamplerTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final long[] SHAPE = {3, 2, 4, 5};

  private static AncestralSampler chain(int steps) {
    return new AncestralSampler(
        SCHEDULE.respace(steps), ReverseVariance.POSTERIOR, X0Constraint.clip(-1, 1));
  }

  private static INDArray image() {
    return Nd4j.linspace(DataType.FLOAT, -1, 0.05, 40).reshape('c', 1, 2, 4, 5);
  }

  /** The left two of five columns are known. */
  private static INDArray leftMask() {
    INDArray mask = Nd4j.zeros(DataType.FLOAT, 1, 1, 4, 5);
    mask.get(
            NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, 2))
        .assign(1);
    return mask;
  }

  private static INDArray sample(RepaintSampler sampler, long seed) {
    return sampler.sample(
        GaussianFlow.DENOISER, NoiseSource.seeded(seed, 0), SamplingObserver.NONE, SHAPE);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 2", "2, 4"})
  void knownPixelsAreKeptToTheLastBit(int jumpLength, int resamplings) {
    RepaintSampler sampler =
        new RepaintSampler(chain(10), new Resampling(jumpLength, resamplings), image(), leftMask());
    INDArray images = sample(sampler, 5);
    int changed = 0;
    for (int n = 0; n < 3; n++) {
      for (int c = 0; c < 2; c++) {
        for (int y = 0; y < 4; y++) {
          for (int x = 0; x < 5; x++) {
            float given = image().getFloat(0, c, y, x);
            float got = images.getFloat(n, c, y, x);
            if (x < 2) {
              assertThat(got).isEqualTo(given);
            } else {
              changed += got != given ? 1 : 0;
            }
          }
        }
      }
    }
    assertThat(changed).isEqualTo(3 * 2 * 4 * 3);
  }

  @Test
  void whereAllIsKnownTheImageItselfComesOut() {
    INDArray ones = Nd4j.ones(DataType.FLOAT, 1, 1, 4, 5);
    INDArray images = sample(new RepaintSampler(chain(6), new Resampling(2, 3), image(), ones), 1);
    assertThat(images).isEqualTo(image().broadcast(SHAPE));
  }

  @Test
  void whereNothingIsKnownItIsDdpm() {
    INDArray zeros = Nd4j.zeros(DataType.FLOAT, 1, 1, 4, 5);
    INDArray images = sample(new RepaintSampler(chain(6), Resampling.NONE, image(), zeros), 1);
    INDArray ddpm =
        chain(6)
            .sample(GaussianFlow.DENOISER, NoiseSource.seeded(1, 0), SamplingObserver.NONE, SHAPE);
    assertThat(images).isEqualTo(ddpm);
  }

  /** Two pixels of mean 0, variance 1 and covariance c: E[x0 | x_t] in their two eigenvectors. */
  private static Denoiser correlated(double c) {
    return (xt, level) -> {
      INDArray a = pixel(xt, 0);
      INDArray b = pixel(xt, 1);
      INDArray sum = a.add(b).muli(slope(level, 1 + c) / 2);
      INDArray difference = a.sub(b).muli(slope(level, 1 - c) / 2);
      INDArray x0 = Nd4j.concat(3, sum.add(difference), sum.sub(difference));
      return new Denoiser.Estimate(x0, xt.sub(x0.mul(level.alpha())).divi(level.sigma()));
    };
  }

  private static double slope(NoiseLevel level, double variance) {
    return level.alpha() * variance / (level.alphaCumprod() * variance + 1 - level.alphaCumprod());
  }

  private static INDArray pixel(INDArray x, int i) {
    return x.get(
        NDArrayIndex.all(),
        NDArrayIndex.all(),
        NDArrayIndex.all(),
        NDArrayIndex.interval(i, i + 1));
  }

  /** What the unknown pixel is given the known one: its mean where that is 1, and its variance. */
  private record Conditional(double mean, double variance) {}

  /**
   * Exactly, without drawing: what comes out is a linear function of the known pixel and of all
   * noise, so each image of the batch is given a 1 in one place alone.
   */
  private static Conditional conditional(int steps, Resampling resampling, double c) {
    AncestralSampler chain =
        new AncestralSampler(SCHEDULE.respace(steps), ReverseVariance.POSTERIOR, X0Constraint.NONE);
    int draws = resampling.timesteps(steps).length;
    int images = 1 + 2 * draws;
    INDArray known = Nd4j.zeros(DataType.DOUBLE, images, 1, 1, 2);
    known.putScalar(new int[] {0, 0, 0, 0}, 1);
    NoiseSource impulses =
        (step, shape) -> {
          INDArray noise = Nd4j.zeros(DataType.DOUBLE, shape);
          noise.putScalar(new long[] {1 + 2 * step, 0, 0, 0}, 1);
          noise.putScalar(new long[] {2 + 2 * step, 0, 0, 1}, 1);
          return noise;
        };
    INDArray mask = Nd4j.createFromArray(1.0, 0.0).reshape(1, 1, 1, 2);
    INDArray end =
        new RepaintSampler(chain, resampling, known, mask)
            .sample(correlated(c), impulses, SamplingObserver.NONE, images, 1, 1, 2);
    double variance = 0;
    for (int n = 1; n < images; n++) {
      double response = end.getDouble(n, 0, 0, 1);
      variance += response * response;
    }
    return new Conditional(end.getDouble(0, 0, 0, 1), variance);
  }

  /** From a normal distribution to the true one of covariance c, in nats, the known pixel drawn. */
  private static double divergence(Conditional got, double c) {
    double variance = 1 - c * c;
    double ratio = got.variance() / variance;
    double meanError = got.mean() - c;
    return (ratio - 1 - Math.log(ratio) + meanError * meanError / variance) / 2;
  }

  @Test
  void resamplingComesNearerToTheConditionalDistribution() {
    double c = 0.8;
    List<Double> divergences = new ArrayList<>();
    for (int r : new int[] {1, 2, 5, 10}) {
      divergences.add(divergence(conditional(50, new Resampling(5, r), c), c));
    }
    assertThat(divergences).as("r = 1, 2, 5, 10").isSortedAccordingTo(reverseOrder());
    assertThat(divergences.get(0)).isGreaterThan(0.1);
    assertThat(divergences.get(3)).isLessThan(0.02);
  }

  @Test
  void theConditionalMeanAndVarianceAreApproached() {
    Conditional got = conditional(100, new Resampling(10, 10), 0.8);
    assertThat(got.mean()).isCloseTo(0.8, within(0.06));
    assertThat(got.variance()).isCloseTo(0.36, within(0.04));
  }

  @Test
  void stepsAreCountedDown() {
    RepaintSampler sampler =
        new RepaintSampler(chain(20), new Resampling(5, 3), image(), leftMask());
    List<Integer> told = new ArrayList<>();
    int[] asked = {0};
    sampler.sample(
        (xt, level) -> {
          asked[0]++;
          return GaussianFlow.DENOISER.denoise(xt, level);
        },
        NoiseSource.seeded(1, 0),
        (done, x, x0) -> told.add(done),
        SHAPE);
    // 20 down, and from each of 0, 5 and 10 twice up and down again.
    assertThat(sampler.steps()).isEqualTo(20 + 3 * 2 * 5);
    assertThat(asked[0]).isEqualTo(sampler.evaluations());
    assertThat(told).hasSize(sampler.steps()).endsWith(sampler.steps());
    assertThat(Resampling.PAPER.timesteps(250)).hasSize(251 + 2 * 24 * 9 * 10);
  }

  @Test
  void anImageDoesNotDependOnItsBatch() {
    RepaintSampler sampler =
        new RepaintSampler(chain(6), new Resampling(2, 2), image(), leftMask());
    INDArray third =
        sampler.sample(
            GaussianFlow.DENOISER, NoiseSource.seeded(4, 2), SamplingObserver.NONE, 1, 2, 4, 5);
    INDArray all = sample(sampler, 4);
    assertThat(third.squaredDistance(all.get(NDArrayIndex.interval(2, 3))))
        .isCloseTo(0, within(1e-10));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(
            () -> new RepaintSampler(chain(4), Resampling.NONE, image(), leftMask().muli(0.5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0.5");
    assertThatThrownBy(
            () ->
                new RepaintSampler(
                    chain(4), Resampling.NONE, image(), Nd4j.zeros(DataType.FLOAT, 1, 1, 5, 4)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[1, 1, 5, 4]");
    RepaintSampler sampler = new RepaintSampler(chain(4), Resampling.NONE, image(), leftMask());
    assertThatThrownBy(
            () ->
                sampler.sample(
                    GaussianFlow.DENOISER,
                    NoiseSource.seeded(1, 0),
                    SamplingObserver.NONE,
                    2,
                    1,
                    4,
                    5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[2, 1, 4, 5]");
    assertThatThrownBy(() -> new Resampling(0, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Resampling(1, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Resampling(10, Integer.MAX_VALUE).timesteps(1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("fewer");
  }
}
