package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Horizontal bars are one class, vertical bars the other; the third stands for none. */
class ClassConditionalTrainingTest {

  private static final int NULL_CLASS = 2;

  private static Unet unet() {
    return Unet.create(
        AnnotatedUnet.resnet(16, 1, List.of(1, 2), 4).withAttention(1, 16).withClassEmbeddings(3),
        DataType.FLOAT,
        1);
  }

  private static DataSet batch(long step) {
    DataSet images = TinyTraining.images(step * 32, 32);
    INDArray oneHot = Nd4j.zeros(32, 2);
    for (int i = 0; i < 32; i++) {
      oneHot.putScalar(i, isHorizontal(images.getFeatures(), i) ? 0 : 1, 1);
    }
    return new DataSet(images.getFeatures(), oneHot);
  }

  /** Whether an image varies more from row to row than from column to column. */
  private static boolean isHorizontal(INDArray images, int i) {
    INDArray image = images.slice(i).slice(0);
    return image.mean(1).varNumber().doubleValue() > image.mean(0).varNumber().doubleValue();
  }

  private static TrainingConfig config(double labelDropout) {
    return new TrainingConfig(
        350,
        AdamWConfig.defaults().withLearningRate(4e-3),
        new LearningRateSchedule(20, LearningRateSchedule.Decay.COSINE),
        1.0,
        0.97,
        ObjectiveConfig.simple().withLabelDropout(labelDropout),
        7,
        50);
  }

  @Test
  @Tag("slow")
  void samplesAreOfTheClassThatWasAskedFor() throws IOException {
    try (Unet unet = unet()) {
      Trainer trainer =
          new Trainer(
              unet, TinyTraining.SCHEDULE, config(0.2), ClassConditionalTrainingTest::batch);
      trainer.fit();
      DiffusionPipeline pipeline =
          new DiffusionPipeline(
              ClassConditionalDenoiser.of(
                  trainer.emaUnet(), Parameterization.EPSILON, TinyTraining.SCHEDULE),
              new AncestralSampler(
                  TinyTraining.SCHEDULE.respace(20),
                  ReverseVariance.POSTERIOR,
                  X0Constraint.clip(-1, 1)),
              new ImageShape(1, 8, 8));
      int[] classes = IntStream.range(0, 40).map(i -> i % 2).toArray();
      INDArray images = pipeline.sample(classes, 3);
      int right = 0;
      for (int i = 0; i < 40; i++) {
        right += isHorizontal(images, i) == (classes[i] == 0) ? 1 : 0;
      }
      assertThat(right).isGreaterThanOrEqualTo(38);

      // Whatever the batches are: image i depends on its own class and noise alone.
      INDArray again = pipeline.sample(classes, 3, 7, SamplingObserver.NONE);
      assertThat(again.distance2(images)).isLessThan(1e-2);

      INDArray free = pipeline.sample(IntStream.generate(() -> NULL_CLASS).limit(40).toArray(), 3);
      long horizontal = IntStream.range(0, 40).filter(i -> isHorizontal(free, i)).count();
      assertThat(horizontal).isBetween(6L, 34L);
    }
  }

  @Test
  void labelsMustBeThere() {
    try (Unet unet = unet()) {
      DataSet bare = new DataSet(TinyTraining.images(0, 4).getFeatures(), null);
      Trainer without = new Trainer(unet, TinyTraining.SCHEDULE, config(0), step -> bare);
      assertThatThrownBy(without::fit)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("one of 3 classes, but the labels of the images are missing");
      assertThat(without.step()).isZero();
    }
  }

  @Test
  void dropoutNeedsARowOfItsOwn() {
    Unet plain = TinyTraining.unet();
    assertThatThrownBy(
            () -> new Trainer(plain, TinyTraining.SCHEDULE, config(0.1), TinyTraining::batch))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the network has 0 class embeddings");
    assertThatThrownBy(
            () ->
                ClassConditionalDenoiser.of(plain, Parameterization.EPSILON, TinyTraining.SCHEDULE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("knows no classes");
  }

  /** Numbers of classes in a column would all be class 0. */
  @Test
  void labelsThatAreNotOneHotAreRefused() {
    for (INDArray labels :
        List.of(
            Nd4j.createFromArray(new float[][] {{0}, {1}, {2}}),
            Nd4j.createFromArray(new float[][] {{1, 0}, {0, 0}, {0, 1}}),
            Nd4j.createFromArray(new float[][] {{1, 0}, {1, 1}, {0, 1}}),
            Nd4j.createFromArray(new float[][] {{1, 0}, {1, Float.NaN}, {0, 1}}))) {
      try (Unet unet = unet();
          Trainer trainer =
              new Trainer(
                  unet,
                  TinyTraining.SCHEDULE,
                  TinyTraining.config(1),
                  step -> new DataSet(TinyTraining.images(0, 3).getFeatures(), labels))) {
        assertThatThrownBy(trainer::fit)
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("they must be one-hot, a row with 1 in the column");
      }
    }
  }
}
