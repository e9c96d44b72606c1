package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.diffusion.guidance.ClassifierFreeGuidance;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Two classes of points of the plane that overlap, N((∓0.5, 0), 0.5²): one network learns both and
 * their mixture.
 */
@Tag("slow")
class GuidedToyProblemTest {

  private static final NoiseSchedule SCHEDULE =
      NoiseSchedule.of(LinearSchedule.paper().scaledTo(100), 100);
  private static final int COUNT = 300;
  private static final int BATCH = 128;
  private static final int LEFT = 0;

  private static double[] point(SplittableRandom random, int label) {
    return new double[] {
      (label == LEFT ? -0.5 : 0.5) + 0.5 * random.nextGaussian(), 0.5 * random.nextGaussian()
    };
  }

  private static DataSet batch(long step) {
    SplittableRandom random = new SplittableRandom(1000 + step);
    INDArray points = Nd4j.create(DataType.FLOAT, BATCH, 2, 1, 1);
    INDArray oneHot = Nd4j.zeros(BATCH, 2);
    for (int i = 0; i < BATCH; i++) {
      int label = random.nextInt(2);
      double[] point = point(random, label);
      points.putScalar(2L * i, point[0]);
      points.putScalar(2L * i + 1, point[1]);
      oneHot.putScalar(i, label, 1);
    }
    return new DataSet(points, oneHot);
  }

  private static double[][] sample(Unet unet, double scale) {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(
            ClassifierFreeGuidance.of(unet, Parameterization.V, SCHEDULE, Guidance.of(scale)),
            new AncestralSampler(
                SCHEDULE.respace(SCHEDULE.timesteps()),
                ReverseVariance.POSTERIOR,
                X0Constraint.NONE),
            new ImageShape(2, 1, 1));
    INDArray images = pipeline.sample(new int[COUNT], 5, COUNT, SamplingObserver.NONE);
    double[][] points = new double[COUNT][];
    for (int i = 0; i < COUNT; i++) {
      points[i] = new double[] {images.getDouble(2L * i), images.getDouble(2L * i + 1)};
    }
    return points;
  }

  private static double pValueOfLeft(double[][] samples) {
    SplittableRandom random = new SplittableRandom(7);
    double[][] data = new double[COUNT][];
    Arrays.setAll(data, i -> point(random, LEFT));
    return new TwoSampleTest(samples, data).pValue(11);
  }

  private static double pValueOfBoth(double[][] samples) {
    SplittableRandom random = new SplittableRandom(8);
    double[][] data = new double[COUNT][];
    Arrays.setAll(data, i -> point(random, random.nextInt(2)));
    return new TwoSampleTest(samples, data).pValue(11);
  }

  private static double meanOfFirst(double[][] points) {
    return Arrays.stream(points).mapToDouble(point -> point[0]).average().orElseThrow();
  }

  /** By Bayes' rule a point is rather of the left class if its first coordinate is negative. */
  private static long onTheLeft(double[][] points) {
    return Arrays.stream(points).filter(point -> point[0] < 0).count();
  }

  @Test
  void guidanceGoesFromBothClassesToOneAndBeyond() throws IOException {
    TrainingConfig config =
        new TrainingConfig(
            700,
            AdamWConfig.defaults().withLearningRate(3e-3),
            new LearningRateSchedule(50, LearningRateSchedule.Decay.COSINE),
            1.0,
            0.99,
            ObjectiveConfig.simple().withParameterization(Parameterization.V).withLabelDropout(0.3),
            3,
            500);
    AnnotatedUnet network = AnnotatedUnet.resnet(32, 2, List.of(1), 8).withClassEmbeddings(3);
    try (Unet unet = Unet.create(network, DataType.FLOAT, 1)) {
      Trainer trainer = new Trainer(unet, SCHEDULE, config, GuidedToyProblemTest::batch);
      trainer.fit();
      double[][] unconditional = sample(trainer.emaUnet(), 0);
      double[][] conditional = sample(trainer.emaUnet(), 1);
      double[][] guided = sample(trainer.emaUnet(), 3);

      assertThat(pValueOfBoth(unconditional)).isGreaterThan(0.01);
      assertThat(pValueOfLeft(unconditional)).isLessThan(0.002);
      assertThat(pValueOfLeft(conditional)).isGreaterThan(0.01);
      assertThat(pValueOfLeft(guided)).isLessThan(0.002);
      // Of the class itself 84 per cent are on its side.
      assertThat(onTheLeft(conditional)).isBetween(235L, 270L);
      assertThat(onTheLeft(guided)).isGreaterThan(290);
      assertThat(meanOfFirst(guided)).isLessThan(meanOfFirst(conditional) - 0.2);
    }
  }
}
