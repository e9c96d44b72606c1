package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.bound.ContinuousGaussian;
import org.ddpm4j.diffusion.bound.Decoder;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class BoundObjectiveTest {

  private static final NoiseSchedule SCHEDULE =
      NoiseSchedule.of(LinearSchedule.paper().scaledTo(40), 40);

  /** The decoder at t = 0 and divergences after it. */
  private static final int[] T = {0, 1, 9, 39};

  private static final double[] WEIGHTS = {1, 0.5, 2, 1.25};

  private static Unet unet(int outChannels) {
    return Unet.create(
        AnnotatedUnet.resnet(4, 1, List.of(1), 2).withAttention(1, 4).withOutChannels(outChannels),
        DataType.DOUBLE,
        1);
  }

  private static TrainingBatch batch() {
    INDArray x0 = Nd4j.create(DataType.DOUBLE, T.length, 1, 4, 4);
    for (int i = 0; i < x0.length(); i++) {
      x0.putScalar(i, i * 37 % 256 / 127.5 - 1);
    }
    INDArray eps = NoiseSource.seeded(2, 0).gaussian(0, T.length, 1, 4, 4).castTo(DataType.DOUBLE);
    return new TrainingBatch(x0, Optional.empty(), T, eps);
  }

  private static BoundObjective objective(
      Parameterization parameterization, Optional<SimpleObjective> simple) {
    return new BoundObjective(SCHEDULE, parameterization, DiscretizedGaussian.ofBytes(), simple);
  }

  private static double weightedMean(double[] losses) {
    double sum = 0;
    for (int n = 0; n < T.length; n++) {
      sum += WEIGHTS[n] * losses[n] / T.length;
    }
    return sum;
  }

  /** By the samplers' own route: denoiser, estimate, term of the bound. */
  private static double[] terms(Unet unet, Parameterization parameterization, TrainingBatch batch) {
    double[] terms = new double[T.length];
    boolean learned = unet.config().outChannels() == 2;
    VariationalBound bound =
        new VariationalBound(
            SCHEDULE,
            learned ? ReverseVariance.LEARNED : ReverseVariance.POSTERIOR,
            DiscretizedGaussian.ofBytes());
    INDArray xt = new ForwardProcess(SCHEDULE).qSample(batch.x0(), T, batch.eps());
    for (int n = 0; n < T.length; n++) {
      INDArray one = xt.get(NDArrayIndex.interval(n, n + 1)).dup();
      Denoiser.Estimate estimate =
          new NetworkDenoiser(unet::predict, parameterization, SCHEDULE).denoise(one, T[n]);
      INDArray x0 = batch.x0().get(NDArrayIndex.interval(n, n + 1)).dup();
      terms[n] = bound.term(x0, one, T[n], estimate)[0];
    }
    return terms;
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void theBoundIsItsTermTimesT(Parameterization parameterization) {
    for (int channels = 1; channels <= 2; channels++) {
      try (Unet unet = unet(channels)) {
        double[] losses = objective(parameterization, Optional.empty()).losses(unet, batch());
        double[] terms = terms(unet, parameterization, batch());
        for (int n = 0; n < T.length; n++) {
          assertThat(losses[n]).isCloseTo(40 * terms[n], within(1e-8 * Math.abs(losses[n])));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void theGradientOfTheBoundIsThatOfItsDifferences(Parameterization parameterization) {
    BoundObjective objective = objective(parameterization, Optional.empty());
    try (Unet unet = unet(2)) {
      TrainingBatch batch = batch();
      Parameters gradient = unet.parameters().zerosLike();
      double[] losses = objective.lossAndGradient(unet, batch, WEIGHTS, gradient);
      assertThat(losses).containsExactly(objective.losses(unet, batch), within(1e-9));
      assertGradient(unet, gradient, u -> weightedMean(objective.losses(u, batch)));
    }
  }

  /** A step asks twice, and both times the same elements are dropped. */
  @Test
  void theGradientWithDropoutIsThatOfItsDifferences() {
    BoundObjective objective = objective(Parameterization.EPSILON, Optional.empty());
    AnnotatedUnet network = AnnotatedUnet.resnet(4, 1, List.of(1), 2).withAttention(1, 4);
    try (Unet unet = Unet.create(network.withOutChannels(2).withDropout(0.4), DataType.DOUBLE, 1)) {
      TrainingBatch batch = batch();
      Parameters gradient = unet.parameters().zerosLike();
      Parameters ignored = gradient.zerosLike();
      double[] losses = objective.lossAndGradient(unet, batch, WEIGHTS, gradient);
      assertThat(losses).isNotEqualTo(objective.losses(unet, batch));
      INDArray theta = unet.parameters().flat();
      INDArray direction =
          NoiseSource.seeded(5, 0).gaussian(0, theta.length()).castTo(DataType.DOUBLE);
      double h = 1e-6;
      theta.addi(direction.mul(h));
      double high = weightedMean(objective.lossAndGradient(unet, batch, WEIGHTS, ignored));
      theta.subi(direction.mul(2 * h));
      double low = weightedMean(objective.lossAndGradient(unet, batch, WEIGHTS, ignored));
      double slope = gradient.flat().mul(direction).sumNumber().doubleValue();
      assertThat((high - low) / (2 * h) / slope).isCloseTo(1, within(1e-5));
    }
  }

  /**
   * The bound's gradient stops at the mean: differences are taken of a function whose bound has the
   * mean of the unchanged network.
   */
  @ParameterizedTest
  @EnumSource
  void theHybridLossMovesTheVarianceByTheBoundAndTheRestByTheError(LossFunction loss) {
    Parameterization parameterization = Parameterization.EPSILON;
    SimpleObjective simple =
        new SimpleObjective(SCHEDULE, parameterization, loss, new LossWeighting.Uniform());
    BoundObjective objective = objective(parameterization, Optional.of(simple));
    try (Unet unet = unet(2)) {
      TrainingBatch batch = batch();
      INDArray xt = new ForwardProcess(SCHEDULE).qSample(batch.x0(), T, batch.eps());
      INDArray t = Nd4j.createFromArray(T);
      INDArray frozen = unet.predict(xt, t).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1));
      INDArray still = frozen.dup();
      Parameters gradient = unet.parameters().zerosLike();
      double[] losses = objective.lossAndGradient(unet, batch, WEIGHTS, gradient);
      double[] terms = terms(unet, parameterization, batch);
      double[] errors = simpleLosses(loss, still, batch.eps());
      for (int n = 0; n < T.length; n++) {
        assertThat(losses[n]).isCloseTo(errors[n] + 0.001 * 40 * terms[n], within(1e-8));
      }
      assertGradient(
          unet,
          gradient,
          u -> {
            INDArray y = u.predict(xt, t);
            INDArray p = y.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1)).dup();
            INDArray v = y.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 2)).dup();
            double[] sum = simpleLosses(loss, p, batch.eps());
            double[] bound = frozenTerms(batch, xt, Nd4j.concat(1, still, v));
            for (int n = 0; n < T.length; n++) {
              sum[n] += 0.001 * 40 * bound[n];
            }
            return weightedMean(sum);
          });
    }
  }

  /**
   * Every way in which the loss is made: the variance learned or not, both decoders, all errors.
   */
  private static List<BoundObjective> objectives(Parameterization parameterization) {
    List<BoundObjective> all = new ArrayList<>();
    for (Decoder decoder : List.of(DiscretizedGaussian.ofBytes(), new ContinuousGaussian())) {
      all.add(new BoundObjective(SCHEDULE, parameterization, decoder, Optional.empty()));
      for (LossFunction loss : LossFunction.values()) {
        LossWeighting weighting =
            loss == LossFunction.L2 ? new LossWeighting.MinSnr(5) : new LossWeighting.Uniform();
        SimpleObjective simple = new SimpleObjective(SCHEDULE, parameterization, loss, weighting);
        all.add(new BoundObjective(SCHEDULE, parameterization, decoder, Optional.of(simple)));
      }
    }
    return all;
  }

  /** In one graph in FLOAT as by asking twice in DOUBLE. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void aGraphThatEndsInTheBoundIsTheSame(Parameterization parameterization) {
    TrainingBatch batch = batch();
    for (int channels = 1; channels <= 2; channels++) {
      try (Unet twice = unet(channels);
          Unet fused =
              Unet.create(
                  twice.config(),
                  DataType.FLOAT,
                  1,
                  new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1))) {
        fused.parameters().flat().assign(twice.parameters().flat());
        assertThat(fused.endsInBound()).isTrue();
        assertThat(twice.endsInBound()).isFalse();
        for (BoundObjective objective : objectives(parameterization)) {
          Parameters wanted = twice.parameters().zerosLike();
          Parameters found = fused.parameters().zerosLike();
          double[] expected = objective.lossAndGradient(twice, batch, WEIGHTS, wanted);
          double[] actual = objective.lossAndGradient(fused, batch, WEIGHTS, found);
          for (int n = 0; n < T.length; n++) {
            assertThat(actual[n])
                .as("%s, image %d", objective, n)
                .isCloseTo(expected[n], within(1e-5 * Math.abs(expected[n]) + 1e-5));
          }
          assertThat(objective.losses(fused, batch)).isEqualTo(actual);
          INDArray difference = found.flat().castTo(DataType.DOUBLE).sub(wanted.flat());
          assertThat(difference.norm2Number().doubleValue())
              .as("%s", objective)
              .isLessThan(1e-4 * wanted.flat().norm2Number().doubleValue());
        }
      }
    }
  }

  /** A decoder that nobody but its author knows is evaluated here, of any network. */
  @Test
  void aDecoderOfOnesOwnIsAskedOnTheHost() {
    DiscretizedGaussian bytes = DiscretizedGaussian.ofBytes();
    BoundObjective own =
        new BoundObjective(
            SCHEDULE, Parameterization.EPSILON, bytes::logLikelihood, Optional.empty());
    assertThat(own.graphLoss()).isEmpty();
    try (Unet fused =
        Unet.create(
            unet(2).config(),
            DataType.FLOAT,
            1,
            new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1))) {
      BoundObjective known = objective(Parameterization.EPSILON, Optional.empty());
      double[] expected = known.losses(fused, batch());
      double[] actual = own.losses(fused, batch());
      for (int n = 0; n < T.length; n++) {
        assertThat(actual[n]).isCloseTo(expected[n], within(1e-5 * Math.abs(expected[n])));
      }
    }
  }

  @Test
  void refusesAnAnswerThatIsNeitherAPredictionNorOneWithItsVariance() {
    AnnotatedUnet three =
        AnnotatedUnet.resnet(4, 1, List.of(1), 2).withAttention(1, 4).withOutChannels(3);
    Execution execution = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    try (Unet fused = Unet.create(three, DataType.FLOAT, 1, execution)) {
      assertThatThrownBy(
              () -> objective(Parameterization.EPSILON, Optional.empty()).losses(fused, batch()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "The network answers images of 1 channel with 3; the bound takes 1, or 2 with the"
                  + " variance.");
    }
  }

  /** A graph would give no number; at other timesteps nobody looks for a pixel. */
  @Test
  void refusesImagesOfAnotherScaleAtTheLastStep() {
    BoundObjective objective = objective(Parameterization.EPSILON, Optional.empty());
    INDArray x0 = Nd4j.valueArrayOf(new long[] {2, 1, 4, 4}, 1.5, DataType.FLOAT);
    objective.check(x0, 1, 2);
    assertThatThrownBy(() -> objective.check(x0, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has the value 1.5")
        .hasMessageContaining("[-1.0,1.0]");
    assertThatThrownBy(() -> objective(Parameterization.FLOW, Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("predicts flow");
  }

  private static double[] frozenTerms(TrainingBatch batch, INDArray xt, INDArray answer) {
    double[] terms = new double[T.length];
    for (int n = 0; n < T.length; n++) {
      int image = n;
      NetworkDenoiser denoiser =
          new NetworkDenoiser(
              (x, t) -> answer.get(NDArrayIndex.interval(image, image + 1)),
              Parameterization.EPSILON,
              SCHEDULE);
      INDArray one = xt.get(NDArrayIndex.interval(n, n + 1)).dup();
      INDArray x0 = batch.x0().get(NDArrayIndex.interval(n, n + 1)).dup();
      terms[n] =
          new VariationalBound(SCHEDULE, ReverseVariance.LEARNED, DiscretizedGaussian.ofBytes())
              .term(x0, one, T[n], denoiser.denoise(one, T[n]))[0];
    }
    return terms;
  }

  private static double[] simpleLosses(LossFunction loss, INDArray prediction, INDArray target) {
    double[] losses = new double[T.length];
    for (int i = 0; i < prediction.length(); i++) {
      double d = Math.abs(prediction.getDouble(i) - target.getDouble(i));
      losses[i / 16] +=
          switch (loss) {
                case L1 -> d;
                case L2 -> d * d;
                case HUBER -> d < 1 ? d * d / 2 : d - 0.5;
              }
              / 16;
    }
    return losses;
  }

  /** Some parameters of every tensor, by central differences. */
  private static void assertGradient(
      Unet unet, Parameters gradient, ToDoubleFunction<Unet> function) {
    INDArray theta = unet.parameters().flat();
    double largest = gradient.flat().amaxNumber().doubleValue();
    assertThat(largest).isPositive();
    for (long i = 0; i < theta.length(); i += 53) {
      double value = theta.getDouble(i);
      double h = 1e-6;
      theta.putScalar(i, value + h);
      double high = function.applyAsDouble(unet);
      theta.putScalar(i, value - h);
      double low = function.applyAsDouble(unet);
      theta.putScalar(i, value);
      assertThat(gradient.flat().getDouble(i))
          .as("parameter %d", i)
          .isCloseTo((high - low) / (2 * h), within(1e-5 * largest));
    }
  }
}
