package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.GaussianFlow;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Against pixels of N(0.3, 0.5²), whose probability flow and consistency function are known. */
class ConsistencyDistillationTest {

  private static final NoiseSchedule LEVELS = NoiseSchedule.of(EdmSchedule.paper(), 18);

  /** E[x0 | x_t], the best there is. */
  private static final Teacher GAUSSIAN =
      (xt, levels, labels) -> {
        INDArray x0 = xt.dup('c');
        long perImage = xt.length() / levels.size();
        for (long i = 0; i < xt.length(); i++) {
          NoiseLevel level = levels.get((int) (i / perImage));
          double slope = level.alpha() * GaussianFlow.VARIANCE / GaussianFlow.variance(level);
          double away = xt.getDouble(i) - level.alpha() * GaussianFlow.MEAN;
          x0.putScalar(i, GaussianFlow.MEAN + slope * away);
        }
        return x0;
      };

  private static ConsistencyDistillation objective(Distillation.Solver solver, LossFunction loss) {
    return new ConsistencyDistillation(LEVELS, GAUSSIAN, new Distillation(solver, 0.9), loss);
  }

  private static NoiseLevel level(double rho) {
    return new NoiseLevel(0, 1 / (1 + rho * rho));
  }

  /**
   * A step of half the length has an eighth of the error, or a quarter, since it is of one step.
   */
  @ParameterizedTest
  @CsvSource({"HEUN, 8", "EULER, 4"})
  void stepsFollowTheFlowWithTheirOrder(Distillation.Solver solver, double ratio) {
    double whole = errorOfAStep(solver, 1.0, 0.8);
    double half = errorOfAStep(solver, 1.0, 0.9);
    assertThat(whole / half).isBetween(0.75 * ratio, 1.4 * ratio);
    assertThat(whole)
        .isGreaterThan(1e-6)
        .isLessThan(solver == Distillation.Solver.HEUN ? 3e-3 : 0.05);
  }

  private static double errorOfAStep(Distillation.Solver solver, double from, double to) {
    double[] starts = {-2, 0.4, 1.5};
    INDArray xt = Nd4j.createFromArray(starts).reshape('c', 3, 1, 1, 1);
    // Each image at levels of its own, of which the first is looked at.
    List<NoiseLevel> upper = List.of(level(from), level(40), level(0.01));
    List<NoiseLevel> lower = List.of(level(to), level(39.9), level(0.0099));
    INDArray end = objective(solver, LossFunction.L2).step(xt, upper, lower, Optional.empty());
    assertThat(xt.getDouble(0)).isEqualTo(-2);
    for (int i = 1; i < 3; i++) {
      double exact = GaussianFlow.solution(starts[i], upper.get(i), lower.get(i));
      assertThat(end.getDouble(i)).isCloseTo(exact, within(2e-4));
    }
    return Math.abs(end.getDouble(0) - GaussianFlow.solution(-2, upper.get(0), lower.get(0)));
  }

  private static Unet unet(long seed) {
    return unet(seed, 0);
  }

  private static Unet unet(long seed, double dropout) {
    return Unet.create(
        AnnotatedUnet.resnet(4, 1, List.of(1), 2).withAttention(1, 4).withDropout(dropout),
        DataType.DOUBLE,
        seed);
  }

  private static TrainingBatch batch() {
    INDArray x0 = NoiseSource.seeded(1, 0).gaussian(0, 3, 1, 4, 4).castTo(DataType.DOUBLE);
    INDArray eps = NoiseSource.seeded(2, 0).gaussian(0, 3, 1, 4, 4).castTo(DataType.DOUBLE);
    return new TrainingBatch(x0, Optional.empty(), new int[] {0, 7, 16}, eps);
  }

  /** f = c_skip z + c_out F (Song et al. 2023, eq. 5 and appendix C), from the paper's letters. */
  private static double[] consistency(Unet unet, INDArray z, double rho) {
    double least = 0.002;
    double data = 0.5;
    INDArray t = Nd4j.createFromArray(250 * Math.log(rho));
    INDArray answer = unet.predict(z.div(Math.sqrt(rho * rho + data * data)), t);
    double skip = data * data / ((rho - least) * (rho - least) + data * data);
    double out = data * (rho - least) / Math.sqrt(data * data + rho * rho);
    return z.mul(skip).add(answer.mul(out)).dup('c').data().asDouble();
  }

  @ParameterizedTest
  @CsvSource({"L1", "L2"})
  void theLossIsThatOfThePaper(LossFunction loss) {
    TrainingBatch batch = batch();
    ConsistencyDistillation objective = objective(Distillation.Solver.HEUN, loss);
    try (Unet student = unet(1);
        Unet average = unet(2)) {
      double[] losses = objective.withTarget(average).losses(student, batch);
      for (int i = 0; i < 3; i++) {
        NoiseLevel upper = NoiseLevel.of(LEVELS, batch.t()[i] + 1);
        NoiseLevel lower = NoiseLevel.of(LEVELS, batch.t()[i]);
        INDArray x0 = batch.x0().slice(i).reshape(1, 1, 4, 4);
        INDArray eps = batch.givenEps().orElseThrow().slice(i).reshape(1, 1, 4, 4);
        INDArray z = x0.add(eps.mul(upper.rho()));
        INDArray below =
            objective.step(z.mul(upper.alpha()), List.of(upper), List.of(lower), Optional.empty());
        double[] wanted = consistency(average, below.div(lower.alpha()), lower.rho());
        double[] said = consistency(student, z, upper.rho());
        double expected = 0;
        for (int k = 0; k < 16; k++) {
          double error = Math.abs(said[k] - wanted[k]);
          expected += (loss == LossFunction.L2 ? error * error : error) / 16;
        }
        assertThat(losses[i]).isCloseTo(expected, within(1e-5 * expected));
      }
    }
  }

  /**
   * Of the student's weights alone, while the target stays where it is. With dropout the masks are
   * the batch's own, so that the losses that come with the gradient are a function of the weights.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.4})
  void theGradientIsThatOfTheLoss(double dropout) {
    TrainingBatch batch = batch();
    double[] weights = {0.5, 2, 1};
    try (Unet student = unet(1, dropout);
        Unet average = unet(2)) {
      ConsistencyDistillation objective =
          objective(Distillation.Solver.EULER, LossFunction.L2).withTarget(average);
      Parameters gradient = student.parameters().zerosLike();
      double[] told = objective.lossAndGradient(student, batch, weights, gradient);
      double[] unmasked = objective.losses(student, batch);
      for (int n = 0; n < 3; n++) {
        assertThat(Math.abs(told[n] / unmasked[n] - 1) > 1e-6).isEqualTo(dropout > 0);
      }
      Parameters unused = student.parameters().zerosLike();
      INDArray flat = student.parameters().flat();
      for (long i = 3; i < flat.length(); i += flat.length() / 9) {
        double value = flat.getDouble(i);
        double[] sides = new double[2];
        for (int side = 0; side < 2; side++) {
          flat.putScalar(i, value + (side == 0 ? 1e-5 : -1e-5));
          double[] losses = objective.lossAndGradient(student, batch, weights, unused);
          for (int n = 0; n < 3; n++) {
            sides[side] += weights[n] * losses[n] / 3;
          }
        }
        flat.putScalar(i, value);
        double expected = (sides[0] - sides[1]) / 2e-5;
        assertThat(gradient.flat().getDouble(i))
            .isCloseTo(expected, within(1e-4 * Math.abs(expected) + 1e-8));
      }
    }
  }

  /** Networks are asked as a device asks them, one image at a time, in plain loops. */
  @ParameterizedTest
  @CsvSource({"HEUN, EPSILON", "HEUN, FLOW", "EULER, V", "EULER, EDM"})
  void whatADeviceIsToldMakesTheSameTarget(
      Distillation.Solver solver, Parameterization parameterization) {
    TrainingBatch batch = batch();
    NoiseSchedule chain = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    try (Unet student = unet(1);
        Unet average = unet(2);
        Unet trained = unet(3)) {
      ConsistencyDistillation objective =
          new ConsistencyDistillation(
                  LEVELS,
                  Teacher.of(trained, parameterization, chain),
                  new Distillation(solver, 0.9),
                  LossFunction.L2)
              .withTarget(average);
      assertThat(objective.graphLoss()).contains(LossFunction.L2);
      assertThat(objective.targetNetworks())
          .containsExactlyElementsOf(
              solver == Distillation.Solver.HEUN
                  ? List.of(trained, trained, average)
                  : List.of(trained, average));
      double[] losses = objective.losses(student, batch);
      TrainingProgram.AnsweredTarget told = objective.answeredTarget(batch.t()).orElseThrow();
      float[] diffusion = objective.diffusionFactors(batch.t());
      for (int i = 0; i < 3; i++) {
        INDArray x0 = batch.x0().slice(i).reshape(1, 1, 4, 4);
        INDArray eps = batch.givenEps().orElseThrow().slice(i).reshape(1, 1, 4, 4);
        List<INDArray> known = new ArrayList<>();
        known.add(x0.mul(diffusion[4 * i]).addi(eps.mul(diffusion[4 * i + 1])));
        for (int k = 0; k < told.questions().size(); k++) {
          TrainingProgram.Question question = told.questions().get(k);
          INDArray time = Nd4j.createFromArray((double) question.timesteps()[i]);
          INDArray given = sum(known, question.factors(), i);
          known.add(objective.targetNetworks().get(k).predict(given, time));
        }
        INDArray time = Nd4j.createFromArray(objective.time(batch.t()[i]));
        INDArray error = student.predict(known.get(0), time).sub(sum(known, told.factors(), i));
        double expected =
            objective.weight(batch.t()[i]) * Math.pow(error.norm2Number().doubleValue(), 2) / 16;
        assertThat(losses[i]).isCloseTo(expected, within(1e-4 * expected));
      }
    }
  }

  private static INDArray sum(List<INDArray> images, float[] factors, int image) {
    INDArray sum = images.get(0).like();
    for (int k = 0; k < images.size(); k++) {
      sum.addi(images.get(k).mul(factors[image * images.size() + k]));
    }
    return sum;
  }

  /** Nobody but the host asks them. */
  @Test
  void teachersOfOnesOwnAreNoNetworks() {
    try (Unet average = unet(2)) {
      ConsistencyDistillation objective =
          objective(Distillation.Solver.HEUN, LossFunction.L2).withTarget(average);
      assertThat(objective.graphLoss()).isEmpty();
      assertThat(objective.targetNetworks()).isEmpty();
      assertThat(objective.answeredTarget(3)).isEmpty();
    }
  }

  /** From all the noise to the image in one step: the flow's end, which a Gaussian's is known. */
  @Test
  void aDistilledNetworkIsTheConsistencyFunction() throws IOException {
    TrainingConfig config =
        new TrainingConfig(
            500,
            AdamWConfig.defaults().withLearningRate(4e-3),
            new LearningRateSchedule(20, LearningRateSchedule.Decay.COSINE),
            1.0,
            0.9,
            ObjectiveConfig.consistency(new Distillation(Distillation.Solver.HEUN, 0.8)),
            3,
            100);
    ConsistencyDistillation objective = config.objective().distillation(LEVELS, GAUSSIAN);
    try (Unet unet =
            Unet.create(
                AnnotatedUnet.resnet(16, 1, List.of(1), 4).withAttention(1, 4), DataType.FLOAT, 1);
        Trainer trainer = new Trainer(unet, objective, config, step -> pixels(1000 + step))) {
      double before = worstError(unet);
      trainer.fit();
      assertThat(before).isGreaterThan(0.3);
      assertThat(worstError(trainer.emaUnet())).isLessThan(0.1);
    }
  }

  private static DataSet pixels(long seed) {
    INDArray noise = NoiseSource.seeded(seed, 0).gaussian(0, 128, 1, 1, 1);
    return new DataSet(
        noise.muli(Math.sqrt(GaussianFlow.VARIANCE)).addi(GaussianFlow.MEAN), Nd4j.zeros(128, 1));
  }

  /** In one step from the last level, up to two standard deviations from the middle. */
  private static double worstError(Unet unet) {
    NoiseLevel last = NoiseLevel.of(LEVELS, LEVELS.timesteps() - 1);
    NoiseLevel least = NoiseLevel.of(LEVELS, 0);
    INDArray xt = Nd4j.createFromArray(new float[] {-2, -1, 0, 1, 2}).reshape('c', 5, 1, 1, 1);
    Denoiser.Estimate found =
        new NetworkDenoiser(unet::predict, Parameterization.CONSISTENCY, LEVELS).denoise(xt, last);
    double worst = 0;
    for (int i = 0; i < 5; i++) {
      double end = GaussianFlow.solution(xt.getDouble(i), last, least) / least.alpha();
      worst = Math.max(worst, Math.abs(found.x0().getDouble(i) - end));
    }
    return worst;
  }

  @Test
  void whatCannotBeDistilledIsRefused() {
    assertThatThrownBy(
            () ->
                new ConsistencyDistillation(
                    NoiseSchedule.of(0.5), GAUSSIAN, Distillation.paper(), LossFunction.L2))
        .hasMessageContaining("needs two or more timesteps");
    assertThatThrownBy(() -> objective(Distillation.Solver.HEUN, LossFunction.HUBER))
        .hasMessageContaining("by the loss l1 or l2, not huber");
    assertThatThrownBy(() -> new Distillation(Distillation.Solver.HEUN, 1))
        .hasMessageContaining("it must be in [0,1)");
    assertThatThrownBy(
            () -> ObjectiveConfig.simple().withParameterization(Parameterization.CONSISTENCY))
        .hasMessageContaining("say by distillation how it is distilled");
    assertThatThrownBy(() -> ObjectiveConfig.consistency(Distillation.paper()).create(LEVELS))
        .hasMessageContaining("distilled from a teacher");
  }

  @Test
  void aTeacherAnswersWithWholeImages() {
    try (Unet partial =
        Unet.create(
            AnnotatedUnet.resnet(4, 3, List.of(1), 2).withOutChannels(1), DataType.FLOAT, 1)) {
      assertThatThrownBy(
              () ->
                  Teacher.of(partial, Parameterization.V, NoiseSchedule.of(EdmSchedule.paper(), 4)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("The network takes 3 channels and answers with 1,");
    }
  }
}
