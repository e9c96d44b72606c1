package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class SimpleObjectiveTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final int[] T = {3, 400, 999};

  private static Unet unet(int classes) {
    return Unet.create(
        AnnotatedUnet.resnet(4, 1, List.of(1), 2).withAttention(1, 4).withClassEmbeddings(classes),
        DataType.DOUBLE,
        1);
  }

  private static TrainingBatch batch(Optional<INDArray> labels) {
    INDArray x0 = NoiseSource.seeded(1, 0).gaussian(0, T.length, 1, 4, 4).castTo(DataType.DOUBLE);
    INDArray eps = NoiseSource.seeded(2, 0).gaussian(0, T.length, 1, 4, 4).castTo(DataType.DOUBLE);
    return new TrainingBatch(x0, labels, T, eps);
  }

  /** Against the formula, with predictions of the network itself. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void lossesAreWeightedSquaredErrors(Parameterization parameterization) {
    LossWeighting weighting = new LossWeighting.MinSnr(5);
    SimpleObjective objective =
        new SimpleObjective(SCHEDULE, parameterization, LossFunction.L2, weighting);
    TrainingBatch batch = batch(Optional.empty());
    try (Unet unet = unet(0)) {
      INDArray xt = new ForwardProcess(SCHEDULE).qSample(batch.x0(), T, batch.eps());
      INDArray prediction = unet.predict(xt, Nd4j.createFromArray(T));
      INDArray target = parameterization.target(SCHEDULE, batch.x0(), batch.eps(), T);
      double[] losses = objective.losses(unet, batch);
      for (int n = 0; n < T.length; n++) {
        double sum = 0;
        for (int i = 0; i < 16; i++) {
          double error = prediction.getDouble(16L * n + i) - target.getDouble(16L * n + i);
          sum += error * error;
        }
        double expected = weighting.weight(parameterization, SCHEDULE, T[n]) * sum / 16;
        assertThat(losses[n]).isCloseTo(expected, within(1e-9 * expected));
      }
    }
  }

  /**
   * Liu et al. 2023, eq. 1, from its formula: the network is given z = (1-s) x0 + s ε and asked
   * with s T, and should say ε - x0. Here on a chain that is no flow's, too.
   */
  @Test
  void aFlowIsItsVelocityAtItsOwnScale() {
    NoiseSchedule straight = NoiseSchedule.of(FlowSchedule.straight(), SCHEDULE.timesteps());
    for (NoiseSchedule schedule : List.of(straight, SCHEDULE)) {
      SimpleObjective objective =
          new SimpleObjective(
              schedule, Parameterization.FLOW, LossFunction.L2, new LossWeighting.Uniform());
      TrainingBatch batch = batch(Optional.empty());
      try (Unet unet = unet(0)) {
        double[] losses = objective.losses(unet, batch);
        for (int n = 0; n < T.length; n++) {
          double alpha = Math.sqrt(schedule.alphasCumprod(T[n]));
          double sigma = Math.sqrt(1 - schedule.alphasCumprod(T[n]));
          double s =
              schedule == straight ? (T[n] + 1.0) / SCHEDULE.timesteps() : sigma / (alpha + sigma);
          INDArray x0 = batch.x0().get(NDArrayIndex.interval(n, n + 1)).dup();
          INDArray eps = batch.eps().get(NDArrayIndex.interval(n, n + 1)).dup();
          INDArray said =
              unet.predict(
                  x0.mul(1 - s).addi(eps.mul(s)), Nd4j.createFromArray(s * SCHEDULE.timesteps()));
          double expected = said.sub(eps.sub(x0)).norm2Number().doubleValue();
          assertThat(losses[n]).isCloseTo(expected * expected / 16, within(1e-9));
          assertThat(objective.time(T[n])).isCloseTo(s * SCHEDULE.timesteps(), within(1e-9));
          float[] factors = objective.diffusionFactors(T[n]);
          assertThat(factors[0]).isCloseTo((float) (1 - s), within(1e-6f));
          assertThat(factors[1]).isCloseTo((float) s, within(1e-6f));
          assertThat(factors[2]).isEqualTo(-1);
          assertThat(factors[3]).isEqualTo(1);
        }
        Parameters gradient = unet.parameters().zerosLike();
        assertThat(objective.lossAndGradient(unet, batch, new double[] {1, 1, 1}, gradient))
            .containsExactly(losses, within(1e-12));
        assertGradient(unet, objective, batch, gradient);
      }
    }
  }

  /**
   * Karras et al. 2022, eq. 8 with the weights of table 1, under which the network's own error
   * counts alike.
   */
  @Test
  void aPreconditionedErrorIsThatOfTheDenoiserOverItsScale() {
    NoiseSchedule schedule = NoiseSchedule.of(EdmSchedule.paper(), SCHEDULE.timesteps());
    SimpleObjective objective =
        new SimpleObjective(
            schedule, Parameterization.EDM, LossFunction.L2, new LossWeighting.Uniform());
    TrainingBatch batch = batch(Optional.empty());
    try (Unet unet = unet(0)) {
      double[] losses = objective.losses(unet, batch);
      for (int n = 0; n < T.length; n++) {
        double ratio = Math.sqrt(1 / schedule.alphasCumprod(T[n]) - 1);
        double total = ratio * ratio + 0.25;
        INDArray x0 = batch.x0().get(NDArrayIndex.interval(n, n + 1)).dup();
        INDArray z = x0.add(batch.eps().get(NDArrayIndex.interval(n, n + 1)).mul(ratio));
        INDArray said =
            unet.predict(z.div(Math.sqrt(total)), Nd4j.createFromArray(Math.log(ratio) / 4));
        double out = 0.5 * ratio / Math.sqrt(total);
        INDArray denoised = z.mul(0.25 / total).addi(said.mul(out));
        double error = denoised.sub(x0).norm2Number().doubleValue() / out;
        double expected = error * error / 16;
        assertThat(losses[n]).isCloseTo(expected, within(1e-7 * expected));
      }
      Parameters gradient = unet.parameters().zerosLike();
      objective.lossAndGradient(unet, batch, new double[] {1, 1, 1}, gradient);
      assertGradient(unet, objective, batch, gradient);
    }
  }

  /** Along a direction, by differences in double precision. */
  private static void assertGradient(
      Unet unet, SimpleObjective objective, TrainingBatch batch, Parameters gradient) {
    INDArray weights = unet.parameters().flat();
    INDArray before = weights.dup();
    INDArray direction =
        NoiseSource.seeded(5, 0).gaussian(0, weights.length()).castTo(DataType.DOUBLE);
    double step = 1e-5;
    double[] ends = new double[2];
    for (int k = 0; k < 2; k++) {
      weights.assign(before.add(direction.mul(k == 0 ? -step : step)));
      ends[k] = Arrays.stream(objective.losses(unet, batch)).average().orElseThrow();
    }
    weights.assign(before);
    double expected = (ends[1] - ends[0]) / (2 * step);
    double actual = gradient.flat().mul(direction).sumNumber().doubleValue();
    assertThat(actual).isCloseTo(expected, within(1e-5 * Math.abs(expected)));
  }

  /** The gradient of the weighted mean is the weighted mean of each image's own gradient. */
  @Test
  void gradientsAreWeighted() {
    SimpleObjective objective =
        new SimpleObjective(
            SCHEDULE, Parameterization.V, LossFunction.L2, new LossWeighting.P2(1, 1));
    TrainingBatch batch = batch(Optional.empty());
    double[] weights = {0.5, 2, 0};
    try (Unet unet = unet(0)) {
      Parameters all = unet.parameters().zerosLike();
      double[] losses = objective.lossAndGradient(unet, batch, weights, all);
      assertThat(losses).containsExactly(objective.losses(unet, batch), within(1e-12));
      INDArray expected = all.flat().mul(0);
      for (int n = 0; n < T.length; n++) {
        TrainingBatch one =
            new TrainingBatch(
                batch.x0().get(NDArrayIndex.interval(n, n + 1)),
                Optional.empty(),
                new int[] {T[n]},
                batch.eps().get(NDArrayIndex.interval(n, n + 1)));
        Parameters own = unet.parameters().zerosLike();
        objective.lossAndGradient(unet, one, new double[] {1}, own);
        expected.addi(own.flat().mul(weights[n] / T.length));
      }
      assertThat(all.flat().distance2(expected))
          .isLessThan(1e-6 * expected.norm2Number().doubleValue());
    }
  }

  @Test
  void labelsReachTheNetwork() {
    SimpleObjective objective =
        new SimpleObjective(
            SCHEDULE, Parameterization.EPSILON, LossFunction.L2, new LossWeighting.Uniform());
    try (Unet unet = unet(3)) {
      double[] zero = objective.losses(unet, batch(Optional.of(Nd4j.createFromArray(0, 0, 0))));
      double[] mixed = objective.losses(unet, batch(Optional.of(Nd4j.createFromArray(0, 2, 0))));
      assertThat(mixed[0]).isEqualTo(zero[0]);
      assertThat(mixed[1]).isNotEqualTo(zero[1]);
      assertThatThrownBy(() -> objective.losses(unet, batch(Optional.empty())))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  /** What was given stays whole: images and noise belong to the caller. */
  @Test
  void keepsTheBatch() {
    SimpleObjective objective =
        new SimpleObjective(
            SCHEDULE, Parameterization.EPSILON, LossFunction.L2, new LossWeighting.Uniform());
    TrainingBatch batch = batch(Optional.empty());
    INDArray x0 = batch.x0().dup();
    try (Unet unet = unet(0)) {
      objective.lossAndGradient(unet, batch, new double[] {1, 1, 1}, unet.parameters().zerosLike());
      assertThat(batch.x0()).isEqualTo(x0);
      assertThat(batch.givenEps().orElseThrow().wasClosed()).isFalse();
    }
  }

  /**
   * Noise that is drawn is that of the batch's numbers, and a loss as with the same noise given.
   */
  @Test
  void noiseIsDrawnWhereNoneIsGiven() {
    SimpleObjective objective =
        new SimpleObjective(
            SCHEDULE, Parameterization.V, LossFunction.L2, new LossWeighting.Uniform());
    INDArray x0 = batch(Optional.empty()).x0();
    BatchRandom random = new BatchRandom(new CounterRandom(2, Purpose.SAMPLING_NOISE), 5, 9);
    TrainingBatch drawn = new TrainingBatch(x0, Optional.empty(), T, random);
    INDArray eps = NoiseSource.seeded(2, 9).gaussian(5, x0.shape());
    assertThat(drawn.eps()).isEqualTo(eps);
    TrainingBatch given = new TrainingBatch(x0, Optional.empty(), T, eps);
    try (Unet unet = unet(0)) {
      assertThat(objective.losses(unet, drawn)).isEqualTo(objective.losses(unet, given));
    }
  }

  @Test
  void batchesMustFitTogether() {
    INDArray x0 = Nd4j.zeros(2, 1, 4, 4);
    assertThatThrownBy(() -> new TrainingBatch(x0, Optional.empty(), T, x0))
        .hasMessage("Images of shape [2, 1, 4, 4] do not go with 3 timesteps.");
    assertThatThrownBy(
            () -> new TrainingBatch(x0, Optional.empty(), new int[2], Nd4j.zeros(2, 1, 4, 5)))
        .hasMessage("Images of shape [2, 1, 4, 4] do not go with noise of shape [2, 1, 4, 5].");
    assertThatThrownBy(
            () ->
                new TrainingBatch(
                    x0, Optional.of(Nd4j.zeros(3)), new int[] {1, 2}, Nd4j.zeros(2, 1, 4, 4)))
        .hasMessage("3 labels were given for 2 images.");
  }
}
