package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.LogNormalTimesteps;
import org.ddpm4j.diffusion.objective.UniformTimesteps;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What is not possible is refused in a sentence, and not by whatever fails first further in. */
class BadArgumentsTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(CosineSchedule.paper(), 10);
  private static final CounterRandom RANDOM = new CounterRandom(1, Purpose.TRAINING_TIMESTEPS);
  private static final VariationalBound BOUND =
      new VariationalBound(SCHEDULE, ReverseVariance.POSTERIOR, DiscretizedGaussian.ofBytes());
  private static final Denoiser DENOISER = (x, level) -> new Denoiser.Estimate(x, x);

  private static Arguments refused(String sentence, ThrowingCallable call) {
    return Arguments.of(sentence, call);
  }

  static Stream<Arguments> calls() {
    INDArray none = Nd4j.empty(DataType.FLOAT);
    INDArray flat = Nd4j.zeros(DataType.FLOAT, 4);
    ImportanceTimesteps importance = new ImportanceTimesteps(3);
    return Stream.of(
        refused("A chain of 0 timesteps has no bound", () -> StratifiedTimesteps.draw(0, 0, 0)),
        refused("A chain of -1 timesteps has no bound", () -> StratifiedTimesteps.all(-1)),
        refused("The bound is of at least one image, [N,C,H,W]", () -> BOUND.prior(none)),
        refused("but x0 has the shape [4]", () -> BOUND.prior(flat)),
        refused(
            "The bound is of at least one image",
            () -> BOUND.evaluate(DENOISER, none, NoiseSource.seeded(1, 0))),
        refused(
            "The bound is of at least one image",
            () -> BOUND.term(none, none, 1, new Denoiser.Estimate(none, none))),
        refused("No values have no average", () -> BoundEvaluation.Average.of()),
        refused(
            "There is no timestep number 2 among the 2",
            () -> BoundEvaluation.average(Nd4j.zeros(3, 2), 2)),
        refused("of a chain of 0; give its length T", () -> new UniformTimesteps(0)),
        refused("of a chain of -1; give its length T", () -> new ImportanceTimesteps(-1)),
        refused(
            "Timesteps of -1 images cannot be drawn",
            () -> new UniformTimesteps(3).draw(RANDOM, 0, 0, -1)),
        refused(
            "Timesteps of -1 images cannot be drawn",
            () -> LogNormalTimesteps.paper(SCHEDULE).draw(RANDOM, 0, 0, -1)),
        refused("Timesteps of -1 images cannot be drawn", () -> importance.draw(RANDOM, 0, 0, -1)),
        refused(
            "1 losses were given for 2 timesteps",
            () -> importance.update(new int[] {1, 1}, new double[1])),
        refused("There is no order of -1 numbers", () -> RANDOM.permutation(-1, 0)),
        refused(
            "Noise of the shape [] cannot be drawn", () -> NoiseSource.seeded(1, 0).gaussian(0)),
        refused(
            "Noise of the shape [-1, 1, 2, 2] cannot be drawn",
            () -> NoiseSource.seeded(1, 0).gaussian(0, -1, 1, 2, 2)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void aSentenceSaysWhatIsNotPossible(String sentence, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(sentence);
  }

  @Test
  void noBetasAreThoseOfNoSchedule() {
    assertThat(ScheduleConfig.ofBetas()).isEmpty();
  }

  @Test
  void whatIsNotAmongTheStepsOrTimestepsHasNoIndex() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.LEADING, 3);
    for (int step : new int[] {-1, 3}) {
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> levels.step(step))
          .withMessageContaining("out of bounds for length 3");
    }
    ImportanceTimesteps importance = new ImportanceTimesteps(3);
    double[] before = importance.state().losses();
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> importance.update(new int[] {0, 3}, new double[] {5, 6}))
        .withMessageContaining("out of bounds for length 3");
    assertThat(importance.state().losses()).as("nothing half-learned").isEqualTo(before);
  }

  @Test
  void aSamplerNamesWhatIsMissing() {
    EulerSampler sampler =
        new EulerSampler(NoiseLevels.of(SCHEDULE, TimestepSpacing.LEADING, 3), X0Constraint.NONE);
    INDArray x = Nd4j.zeros(DataType.FLOAT, 1, 1, 2, 2);
    NoiseSource noise = NoiseSource.seeded(1, 0);
    assertThatNullPointerException()
        .isThrownBy(() -> sampler.denoise(null, x, noise, SamplingObserver.NONE))
        .withMessage("denoiser");
    assertThatNullPointerException()
        .isThrownBy(() -> sampler.denoise(DENOISER, null, noise, SamplingObserver.NONE))
        .withMessage("x");
  }
}
