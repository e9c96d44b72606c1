package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class TrainerTest {

  /** The constant prediction 0 has the squared error 1, the variance of the noise. */
  @Test
  @Tag("slow")
  void overfitsAFewImages() throws IOException {
    DataSet images = TinyTraining.images(0, 8);
    TrainingConfig config =
        new TrainingConfig(
            150,
            AdamWConfig.defaults().withLearningRate(5e-3),
            new LearningRateSchedule(10, LearningRateSchedule.Decay.LINEAR),
            1.0,
            0.95,
            ObjectiveConfig.simple(),
            7,
            25);
    Trainer trainer =
        new Trainer(TinyTraining.unet(), TinyTraining.SCHEDULE, config, step -> images)
            .withValidation(images);
    double before = trainer.validationLoss();
    trainer.fit();

    assertThat(before).isGreaterThan(0.9);
    assertThat(trainer.validationLoss()).isLessThan(0.4);
    List<LossHistory.Entry> reports = trainer.history().entries();
    assertThat(reports)
        .extracting(LossHistory.Entry::step)
        .containsExactly(25L, 50L, 75L, 100L, 125L, 150L);
    assertThat(reports.get(5).loss()).isLessThan(0.5 * reports.get(0).loss());
    assertThat(validationLoss(trainer.emaUnet(), config, images)).isLessThan(0.4);
  }

  /** A step of nothing would leave the weights as they are, for as many steps as there are. */
  @Test
  void refusesBatchesWithoutImages() {
    for (DataSet none : Arrays.asList(null, new DataSet(), new DataSet(Nd4j.empty(), null))) {
      Trainer trainer =
          new Trainer(
              TinyTraining.unet(),
              TinyTraining.SCHEDULE,
              TinyTraining.config(3),
              step -> step == 1 ? none : TinyTraining.batch(step));
      assertThatThrownBy(trainer::fit)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "The batch of step 1 holds no images; a source of batches gives features [N,C,H,W] with N at least 1.");
      assertThat(trainer.step()).isEqualTo(1);
    }
  }

  /** What a reader of files gives that nobody has told how the network sees pixels. */
  @Test
  void refusesPixelsThatNobodyHasScaled() {
    INDArray pixels = levels(1, 0);
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      DataSet batch = new DataSet(pixels.castTo(type), null);
      Trainer trainer =
          new Trainer(
              TinyTraining.unet(), TinyTraining.SCHEDULE, TinyTraining.config(3), step -> batch);
      assertThatThrownBy(trainer::fit)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("numbers from 0 to 255")
          .hasMessageContaining("x/127.5 - 1");
      assertThat(trainer.step()).isZero();
    }
  }

  /** By the mean of neighbours, and by a filter that overshoots at edges. */
  @ParameterizedTest
  @CsvSource({"0.5, 0", "1.2, -25"})
  void refusesPixelsThatWereResizedAndNotScaled(double factor, double offset) {
    DataSet batch = new DataSet(levels(factor, offset + 0.3), null);
    Trainer trainer =
        new Trainer(
            TinyTraining.unet(), TinyTraining.SCHEDULE, TinyTraining.config(3), step -> batch);
    assertThatThrownBy(trainer::fit)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("as the pixels of files");
    assertThat(trainer.step()).isZero();
  }

  /** One of another kind than the library's devices know; it may scale pixels by itself. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anObjectiveOfOnesOwnIsGivenPixelsWhereItSaysSo(boolean takesPixels) throws IOException {
    DataSet pixels = new DataSet(levels(1, 0), null);
    Objective objective =
        new OfOnesOwn(ObjectiveConfig.simple().create(TinyTraining.SCHEDULE), takesPixels);
    Trainer trainer =
        new Trainer(TinyTraining.unet(), objective, TinyTraining.config(1), step -> pixels);
    if (takesPixels) {
      trainer.fit();
      assertThat(trainer.step()).isEqualTo(1);
    } else {
      assertThatThrownBy(trainer::fit).hasMessageContaining("numbers from 0 to 255");
    }
  }

  private record OfOnesOwn(Objective like, boolean takesPixels) implements Objective {

    @Override
    public int timesteps() {
      return like.timesteps();
    }

    @Override
    public double[] lossAndGradient(
        Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
      return like.lossAndGradient(unet, batch, weights, gradient);
    }

    @Override
    public double[] losses(Unet unet, TrainingBatch batch) {
      return like.losses(unet, batch);
    }
  }

  /** The levels of pixels, times a factor and moved. */
  private static INDArray levels(double factor, double offset) {
    INDArray levels = TinyTraining.images(0, 8).getFeatures().dup();
    for (long i = 0; i < levels.length(); i++) {
      levels.putScalar(i, i * 37 % 256 * factor + offset);
    }
    return levels;
  }

  /** Pixels that were scaled any way, and numbers that are far below 0 or beyond a byte's. */
  @ParameterizedTest
  @CsvSource({"0.1, 0", "20, -40", "1, -127.5", "0.4, 0", "0.0078125, -1", "1, -40", "100, 0"})
  void takesAllElse(double factor, double offset) throws IOException {
    DataSet batch = new DataSet(levels(factor, offset), null);
    Trainer trainer =
        new Trainer(
            TinyTraining.unet(), TinyTraining.SCHEDULE, TinyTraining.config(1), step -> batch);
    trainer.fit();
    assertThat(trainer.step()).isEqualTo(1);
  }

  @Test
  void takesWholeNumbersThatAreNoPixels() throws IOException {
    INDArray masks = TinyTraining.images(0, 8).getFeatures().dup();
    for (long i = 0; i < masks.length(); i++) {
      masks.putScalar(i, i % 2);
    }
    Trainer trainer =
        new Trainer(
            TinyTraining.unet(),
            TinyTraining.SCHEDULE,
            TinyTraining.config(1),
            step -> new DataSet(masks, null));
    trainer.fit();
    assertThat(trainer.step()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void everyLossFalls(LossFunction loss) throws IOException {
    DataSet images = TinyTraining.images(0, 8);
    Trainer trainer =
        new Trainer(
                TinyTraining.unet(),
                TinyTraining.SCHEDULE,
                TinyTraining.config(30).withObjective(ObjectiveConfig.simple().withLoss(loss)),
                step -> images)
            .withValidation(images);
    double before = trainer.validationLoss();
    trainer.fit();
    assertThat(trainer.validationLoss()).isLessThan(0.9 * before);
  }

  @Test
  void reportsAverageTheirWindow() throws IOException {
    List<TrainingListener.StepReport> steps = new ArrayList<>();
    Trainer trainer = TinyTraining.trainer(10);
    trainer.withListener(
        (t, report) -> {
          assertThat(t.step()).isEqualTo(report.step());
          steps.add(report);
        });
    trainer.fit();

    assertThat(steps)
        .extracting(TrainingListener.StepReport::step)
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L);
    assertThat(steps).allMatch(report -> report.steps() == 10 && report.images() == 8);
    assertThat(steps).filteredOn(TrainingListener.StepReport::isLast).hasSize(1);
    assertThat(steps)
        .filteredOn(report -> report.window() != null)
        .extracting(TrainingListener.StepReport::step)
        .containsExactly(4L, 8L, 10L);
    assertThat(steps.get(3).window().loss()).isCloseTo(meanLoss(steps, 0, 4), within(1e-12));
    assertThat(steps.get(7).window().loss()).isCloseTo(meanLoss(steps, 4, 8), within(1e-12));
    assertThat(steps.get(9).window().loss()).isCloseTo(meanLoss(steps, 8, 10), within(1e-12));
    assertThat(trainer.history().entries())
        .containsExactly(steps.get(3).window(), steps.get(7).window(), steps.get(9).window());
    assertThat(steps.get(3).window().learningRate()).isCloseTo(2e-3 * 4 / 5, within(1e-15));
    assertThat(steps.get(9).window().validationLoss()).isEqualTo(trainer.validationLoss());
  }

  /** The loss of one step, which depends on the timesteps drawn, would end the curve. */
  @Test
  void theLastReportIsOfHalfAWindowAtLeast() throws IOException {
    List<TrainingListener.StepReport> steps = new ArrayList<>();
    Trainer trainer = TinyTraining.trainer(9);
    trainer.withListener((t, report) -> steps.add(report));
    trainer.fit();

    List<LossHistory.Entry> reports = trainer.history().entries();
    assertThat(reports).extracting(LossHistory.Entry::step).containsExactly(4L, 9L);
    assertThat(steps.get(7).window()).isNull();
    assertThat(steps.get(8).window()).isEqualTo(reports.get(1));
    assertThat(reports.get(1).loss()).isCloseTo(meanLoss(steps, 4, 9), within(1e-12));
  }

  private static double meanLoss(List<TrainingListener.StepReport> steps, int from, int to) {
    return steps.subList(from, to).stream()
        .mapToDouble(TrainingListener.StepReport::loss)
        .average()
        .orElseThrow();
  }

  @Test
  void validationLossBelongsToTheWeightsAlone() throws IOException {
    Trainer trainer = TinyTraining.trainer(3);
    double first = trainer.validationLoss();
    assertThat(trainer.validationLoss()).isEqualTo(first);
    Checkpoint begin = trainer.checkpoint();
    var weights = begin.weights().zerosLike();
    weights.assign(begin.weights());

    trainer.fit();
    assertThat(trainer.validationLoss()).isNotEqualTo(first);
    trainer.unet().parameters().assign(weights);
    assertThat(trainer.step()).isEqualTo(3);
    assertThat(trainer.validationLoss()).isEqualTo(first);
  }

  /** More images than are evaluated at once: the mean is over all, and so are the timesteps. */
  @Test
  void validationLossIsTheMeanOverAllImages() {
    int count = 150;
    DataSet images = TinyTraining.images(0, count);
    TrainingConfig config = TinyTraining.config(1);
    double all = validationLoss(TinyTraining.unet(), config, images);

    Unet zero = TinyTraining.unet();
    zero.parameters().flat().assign(0);
    // A network that says nothing has the mean square of the noise as its loss, about 1.
    assertThat(validationLoss(zero, config, images)).isCloseTo(1, within(6 / Math.sqrt(150 * 64)));
    assertThat(all).isPositive();
    assertThat(validationLoss(TinyTraining.unet(), config, images)).isEqualTo(all);
  }

  private static double validationLoss(Unet unet, TrainingConfig config, DataSet images) {
    return new Trainer(unet, TinyTraining.SCHEDULE, config, TinyTraining::batch)
        .withValidation(images)
        .validationLoss();
  }

  @Test
  void withoutHeldOutImagesTheValidationLossIsNaN() {
    assertThat(
            new Trainer(
                    TinyTraining.unet(),
                    TinyTraining.SCHEDULE,
                    TinyTraining.config(1),
                    TinyTraining::batch)
                .validationLoss())
        .isNaN();
  }

  @Test
  void movingAverageFollowsItsWarmUp() throws IOException {
    Trainer trainer = TinyTraining.trainer(12);
    int index = 17;
    double[] expected = {trainer.unet().parameters().flat().getDouble(index)};
    trainer.withListener(
        (t, report) -> {
          double decay = Math.min(0.9, (double) report.step() / (9 + report.step()));
          double w = t.unet().parameters().flat().getDouble(index);
          expected[0] = decay * expected[0] + (1 - decay) * w;
          assertThat(t.emaUnet().parameters().flat().getDouble(index))
              .isCloseTo(expected[0], within(1e-6));
        });
    trainer.fit();
    assertThat(trainer.emaUnet().parameters().flat())
        .isNotEqualTo(trainer.unet().parameters().flat());
  }

  /**
   * After one step the first moment is (1 - beta1) times the clipped gradient, so that its norm is
   * known; the report tells the norm before clipping.
   */
  @Test
  void clipsTheGradientToItsGlobalNorm() throws IOException {
    double unclipped = firstGradientNorm(Double.POSITIVE_INFINITY, Double.NaN);
    for (double share : new double[] {0.95, 1.05}) {
      double limit = share * unclipped;
      assertThat(firstGradientNorm(limit, Math.min(limit, unclipped)))
          .isCloseTo(unclipped, within(1e-9));
    }
  }

  private static double firstGradientNorm(double maxNorm, double expected) throws IOException {
    TrainingConfig tiny = TinyTraining.config(1);
    TrainingConfig config =
        new TrainingConfig(
            1,
            tiny.optimizer(),
            tiny.learningRate(),
            maxNorm,
            tiny.emaDecay(),
            tiny.objective(),
            tiny.seed(),
            1);
    Trainer trainer =
        new Trainer(TinyTraining.unet(), TinyTraining.SCHEDULE, config, TinyTraining::batch);
    trainer.fit();
    double moment = trainer.checkpoint().firstMoment().flat().norm2Number().doubleValue();
    if (!Double.isNaN(expected)) {
      assertThat(moment / (1 - config.optimizer().beta1()))
          .isCloseTo(expected, within(1e-4 * expected));
    }
    return trainer.history().entries().get(0).gradientNorm();
  }

  @Test
  void dataThatAreNotNumbersStopTheRunBeforeTheyHarm(@TempDir Path folder) throws IOException {
    CheckpointFolder checkpoints = new CheckpointFolder(folder, 2);
    BatchSource data =
        step -> {
          DataSet batch = TinyTraining.batch(step);
          if (step == 5) {
            batch.getFeatures().putScalar(3, Float.NaN);
          }
          return batch;
        };
    List<INDArray> weights = new ArrayList<>();
    Trainer trainer =
        new Trainer(TinyTraining.unet(), TinyTraining.SCHEDULE, TinyTraining.config(20), data)
            .withListener((t, report) -> weights.add(t.unet().parameters().flat().dup()))
            .withListener(new CheckpointListener(checkpoints, 2));

    TrainingDivergedException e =
        catchThrowableOfType(TrainingDivergedException.class, trainer::fit);
    assertThat(e)
        .hasMessageStartingWith("Training diverged at step 6: the loss is NaN; ")
        .hasMessageEndingWith(".");
    assertThat(trainer.step()).isEqualTo(5);
    assertThat(weights).hasSize(5);
    assertThat(trainer.unet().parameters().flat()).isEqualTo(weights.get(4));
    Path last = checkpoints.latest().orElseThrow();
    assertThat(last).hasFileName("step-0000004.safetensors");
    assertThat(Checkpoint.read(last, trainer.unet().parameters()).weights().flat())
        .isEqualTo(weights.get(3));
  }

  @Test
  void aHugeLearningRateStopsTheRun() {
    TrainingConfig config =
        TinyTraining.config(50)
            .withOptimizer(AdamWConfig.defaults().withLearningRate(1e25))
            .withLearningRate(new LearningRateSchedule(0, LearningRateSchedule.Decay.CONSTANT));
    Trainer trainer =
        new Trainer(TinyTraining.unet(), TinyTraining.SCHEDULE, config, TinyTraining::batch);
    assertThatThrownBy(trainer::fit)
        .isInstanceOf(TrainingDivergedException.class)
        .hasMessageContaining("the learning rate is 1.0E25")
        .hasMessageEndingWith("; begin anew with a lower learning rate.")
        .hasCauseInstanceOf(TrainingDivergedException.class);
    assertThat(trainer.step()).isLessThan(50);
  }

  @Test
  void stopsAfterTheStepInWhichItIsAskedToAndGoesOn() throws IOException {
    Trainer trainer =
        TinyTraining.trainer(6)
            .withListener(
                (t, report) -> {
                  if (report.step() == 2) {
                    t.requestStop();
                  }
                });
    trainer.fit();
    assertThat(trainer.step()).isEqualTo(2);
    trainer.fit();
    assertThat(trainer.step()).isEqualTo(6);
  }

  /** As by a future that is cancelled. */
  @Test
  void anInterruptEndsItAfterAWholeStepAndStaysSet() throws IOException {
    Trainer trainer =
        TinyTraining.trainer(6)
            .withListener(
                (t, report) -> {
                  if (report.step() == 2) {
                    Thread.currentThread().interrupt();
                  }
                });
    try {
      assertThatThrownBy(trainer::fit)
          .isInstanceOf(CancellationException.class)
          .hasMessage("Training was cancelled after 2 of 6 steps: its thread was interrupted.");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(trainer.checkpoint().step()).isEqualTo(2);
    trainer.fit();

    Trainer undisturbed = TinyTraining.trainer(6);
    undisturbed.fit();
    assertThat(trainer.emaUnet().parameters().flat())
        .isEqualTo(undisturbed.emaUnet().parameters().flat());
  }

  @Test
  void aClosedTrainingRefusesToGoOnAndStaysReadable() throws IOException {
    Trainer trainer = TinyTraining.trainer(2);
    trainer.fit();
    trainer.close();
    trainer.close();
    assertThatThrownBy(trainer::fit)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "The training is closed; go on with another trainer that resumes its checkpoint.");
    assertThat(trainer.checkpoint().step()).isEqualTo(2);
  }

  /** As when a service ends: threads and, on a card, memory are not taken from under a step. */
  @Test
  void closingWhileAnotherThreadTrainsEndsThatAfterAWholeStep() throws Exception {
    CountDownLatch training = new CountDownLatch(1);
    Trainer trainer =
        TinyTraining.trainer(100_000)
            .withListener(
                (t, report) -> {
                  training.countDown();
                  if (report.step() == 1000) {
                    t.requestStop();
                  }
                });
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      Future<?> fit =
          executor.submit(
              () -> {
                trainer.fit();
                return null;
              });
      training.await();
      trainer.close();
      assertThatThrownBy(fit::get)
          .hasCauseInstanceOf(IllegalStateException.class)
          .hasMessageContaining("The training is closed;");
      assertThat(trainer.checkpoint().step()).isEqualTo(trainer.step());
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  void oneFitAtATimeDoesTheSteps() throws IOException {
    Trainer trainer =
        TinyTraining.trainer(2)
            .withListener(
                (t, report) ->
                    assertThatThrownBy(t::fit)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage(
                            "This training is under way already; one fit at a time does its steps."));
    trainer.fit();
    assertThat(trainer.step()).isEqualTo(2);
    trainer.fit();
  }

  @Test
  void aStopThatIsRequestedBeforeTheBeginningIsNotForgotten() throws IOException {
    Trainer trainer = TinyTraining.trainer(3);
    trainer.requestStop();
    trainer.fit();
    assertThat(trainer.step()).isZero();
  }

  @Test
  void aListenersFailureStopsTheRun() {
    Trainer trainer =
        TinyTraining.trainer(3)
            .withListener(
                (t, report) -> {
                  throw new IOException("The disk is full.");
                });
    assertThatThrownBy(trainer::fit)
        .isInstanceOf(IOException.class)
        .hasMessage("The disk is full.");
    assertThat(trainer.step()).isEqualTo(1);
  }

  /**
   * ND4J's arrays are in no count of JavaCPP's, so the process's own memory is looked at. A leak of
   * the arrays of each step, some MB, would pass the bound many times over.
   */
  @Test
  @Tag("slow")
  void memoryDoesNotGrowWithTheSteps() throws IOException {
    List<Long> bytes = new ArrayList<>();
    TinyTraining.trainer(200)
        .withListener(
            (t, report) -> {
              if (report.step() == 75 || report.step() == 200) {
                System.gc();
                bytes.add(Pointer.physicalBytes());
              }
            })
        .fit();
    assertThat(bytes.get(0)).as("physical memory is known here").isPositive();
    assertThat(bytes.get(1) - bytes.get(0))
        .as("growth after %d bytes", bytes.get(0))
        .isLessThan(150L << 20);
  }
}
