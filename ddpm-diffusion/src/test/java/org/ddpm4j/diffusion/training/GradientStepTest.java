package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.objective.UniformTimesteps;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Batches that are shared out: among several passes, or among several machines. */
class GradientStepTest {

  private static final int BATCH = 4;
  private static final int CLASSES = 2;

  private static Unet unet(DataType dataType) {
    return unet(dataType, 0);
  }

  private static Unet unet(DataType dataType, double dropout) {
    return Unet.create(
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4)
            .withAttention(2, 4)
            .withClassEmbeddings(CLASSES + 1)
            .withDropout(dropout),
        dataType,
        1);
  }

  private static TrainingConfig config(long steps) {
    return TinyTraining.config(steps).withObjective(ObjectiveConfig.simple().withLabelDropout(0.3));
  }

  /** Images of two classes, so many in a batch. */
  private static BatchSource batches(int size) {
    return step -> {
      DataSet images = TinyTraining.images(step * size, size);
      INDArray oneHot = Nd4j.zeros(size, CLASSES);
      for (int i = 0; i < size; i++) {
        oneHot.putScalar(i, i % CLASSES, 1);
      }
      return new DataSet(images.getFeatures(), oneHot);
    };
  }

  /** Draws by importance, with losses that make some timesteps likelier than others. */
  private static TimestepSampler importance() {
    int count = TinyTraining.SCHEDULE.timesteps();
    ImportanceTimesteps timesteps = new ImportanceTimesteps(count);
    for (int i = 0; i < count * ImportanceTimesteps.LATEST; i++) {
      timesteps.update(new int[] {i % count}, new double[] {1 + i % count});
    }
    return timesteps;
  }

  private static LocalGradientStep gradients(Unet unet, int accumulate, int batch) {
    TrainingConfig config = config(10).withAccumulate(accumulate);
    Objective objective = config.objective().create(TinyTraining.SCHEDULE);
    return new LocalGradientStep(unet, objective, config, batches(batch), importance());
  }

  private static void assertSame(Parameters found, Parameters expected, double tolerance) {
    double norm = expected.flat().norm2Number().doubleValue();
    assertThat(norm).isGreaterThan(0.01);
    assertThat(found.flat().distance2(expected.flat())).isLessThan(tolerance * norm);
  }

  private static void assertSame(StepLosses found, StepLosses expected, double tolerance) {
    assertThat(found.t()).isEqualTo(expected.t());
    assertThat(found.weights()).isEqualTo(expected.weights());
    assertThat(found.losses()).containsExactly(expected.losses(), within(tolerance));
  }

  @ParameterizedTest
  @CsvSource({"DOUBLE, 0, 1e-12", "FLOAT, 0.2, 1e-5"})
  void batchesThatAreAccumulatedAreALargeOne(DataType dataType, double dropout, double tolerance) {
    try (Unet unet = unet(dataType, dropout);
        LocalGradientStep large = gradients(unet, 1, 4 * BATCH);
        LocalGradientStep parts = gradients(unet, 4, BATCH)) {
      Parameters expected = unet.parameters().zerosLike();
      Parameters found = unet.parameters().zerosLike();
      found.flat().assign(Double.NaN);
      for (long step : new long[] {0, 3}) {
        StepLosses losses = large.compute(step, expected);
        StepLosses accumulated = parts.compute(step, found);
        assertThat(losses.images()).isEqualTo(4 * BATCH);
        assertSame(accumulated, losses, tolerance);
        assertSame(found, expected, tolerance);
      }
      assertThat(Arrays.stream(parts.compute(0, found).t()).distinct().count()).isGreaterThan(5);
    }
  }

  /** Of batches that are not all as large, each image counts alike. */
  @Test
  void batchesOfDifferentSizesAreALargeOne() {
    BatchSource uneven =
        step -> step % 2 == 0 ? TinyTraining.images(0, 5) : TinyTraining.images(5, 3);
    TrainingConfig config = TinyTraining.config(1);
    Objective objective = config.objective().create(TinyTraining.SCHEDULE);
    TimestepSampler timesteps = new UniformTimesteps(objective.timesteps());
    try (Unet unet = Unet.create(TinyTraining.CONFIG, DataType.DOUBLE, 1);
        LocalGradientStep large =
            new LocalGradientStep(
                unet, objective, config, step -> TinyTraining.images(0, 8), timesteps);
        LocalGradientStep parts =
            new LocalGradientStep(unet, objective, config.withAccumulate(2), uneven, timesteps)) {
      Parameters expected = unet.parameters().zerosLike();
      Parameters found = unet.parameters().zerosLike();
      assertSame(parts.compute(1, found), large.compute(1, expected), 1e-12);
      assertSame(found, expected, 1e-12);
    }
  }

  /** Some machines have no image at all where there are more of them than images. */
  @ParameterizedTest
  @CsvSource({"1, 0", "3, 0.2", "6, 0"})
  void theGradientsOfShardsAddUp(int shards, double dropout) {
    try (Unet unet = unet(DataType.DOUBLE, dropout);
        LocalGradientStep step = gradients(unet, 2, BATCH)) {
      Parameters expected = unet.parameters().zerosLike();
      StepLosses all = step.compute(5, expected);
      Parameters sum = unet.parameters().zerosLike();
      int images = 0;
      double loss = 0;
      for (int shard = 0; shard < shards; shard++) {
        Parameters part = unet.parameters().zerosLike();
        part.flat().assign(Double.NaN);
        StepLosses losses = step.compute(5, shard, shards, part);
        sum.flat().addi(part.flat());
        images += losses.images();
        loss += losses.images() == 0 ? 0 : losses.mean() * losses.images();
      }
      assertThat(images).isEqualTo(all.images()).isEqualTo(2 * BATCH);
      assertThat(loss / images).isCloseTo(all.mean(), within(1e-12));
      assertSame(sum, expected, 1e-12);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> step.compute(5, shards, shards, sum))
          .withMessageContaining("There is no shard");
    }
  }

  @Test
  void aTrainingThatAccumulatesEndsWhereOneOfLargeBatchesEnds() throws IOException {
    List<Unet> trained = new ArrayList<>();
    List<List<LossHistory.Entry>> histories = new ArrayList<>();
    for (int accumulate : new int[] {1, 4}) {
      try (Unet unet = unet(DataType.DOUBLE);
          Trainer trainer =
              new Trainer(
                  unet,
                  TinyTraining.SCHEDULE,
                  config(20).withAccumulate(accumulate),
                  batches(4 * BATCH / accumulate))) {
        trainer.fit();
        trained.add(trainer.trainedUnet());
        histories.add(trainer.history().entries());
      }
    }
    assertThat(histories.get(0)).hasSize(5);
    for (int i = 0; i < 5; i++) {
      assertThat(histories.get(1).get(i).loss())
          .isCloseTo(histories.get(0).get(i).loss(), within(1e-9));
    }
    INDArray start = unet(DataType.DOUBLE).parameters().flat();
    INDArray large = trained.get(0).parameters().flat();
    assertThat(large.distance2(start)).isGreaterThan(0.1);
    assertThat(trained.get(1).parameters().flat().distance2(large)).isLessThan(1e-7);
    trained.forEach(Unet::close);
  }

  /** What the objective is given: the images' places in the whole, whatever piece they are in. */
  @Test
  void anImageKeepsItsNumbersInEveryPiece() {
    List<TrainingBatch> seen = new ArrayList<>();
    Objective recorder =
        new Objective() {
          @Override
          public int timesteps() {
            return 100;
          }

          @Override
          public double[] lossAndGradient(
              Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
            seen.add(
                new TrainingBatch(
                    batch.x0(),
                    batch.labels().map(INDArray::dup),
                    batch.t(),
                    batch.random(),
                    Optional.of(batch.eps())));
            return new double[batch.size()];
          }

          @Override
          public double[] losses(Unet unet, TrainingBatch batch) {
            throw new UnsupportedOperationException();
          }
        };
    try (Unet unet = unet(DataType.FLOAT)) {
      Parameters gradient = unet.parameters().zerosLike();
      compute(unet, recorder, 1, 4 * BATCH, 0, 1, gradient);
      TrainingBatch whole = seen.remove(0);
      compute(unet, recorder, 4, BATCH, 1, 2, gradient);
      assertThat(seen).hasSize(4);
      for (int piece = 0; piece < 4; piece++) {
        TrainingBatch part = seen.get(piece);
        int first = piece * BATCH + BATCH / 2;
        assertThat(part.size()).isEqualTo(BATCH / 2);
        assertThat(part.random().firstImage()).isEqualTo(first);
        for (int i = 0; i < part.size(); i++) {
          assertThat(part.x0().slice(i)).isEqualTo(whole.x0().slice(first + i));
          assertThat(part.t()[i]).isEqualTo(whole.t()[first + i]);
          assertThat(part.eps().slice(i)).isEqualTo(whole.eps().slice(first + i));
          assertThat(part.labels().orElseThrow().getInt(i))
              .isEqualTo(whole.labels().orElseThrow().getInt(first + i));
        }
      }
      // A share of 0.3 of 16 images has lost its class.
      int[] labels = whole.labels().orElseThrow().toIntVector();
      assertThat(Arrays.stream(labels).filter(label -> label == CLASSES).count())
          .isBetween(1L, 12L);
    }
  }

  private static void compute(
      Unet unet,
      Objective objective,
      int accumulate,
      int batch,
      int shard,
      int shards,
      Parameters gradient) {
    TrainingConfig config = config(10).withAccumulate(accumulate);
    try (LocalGradientStep step =
        new LocalGradientStep(unet, objective, config, batches(batch), new UniformTimesteps(100))) {
      step.compute(3, shard, shards, gradient);
    }
  }
}
