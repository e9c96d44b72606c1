package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Points of the plane as images of one pixel and two channels: small enough to train to the end,
 * with distributions that are known.
 */
class ToyProblemsTest {

  private static final NoiseSchedule SCHEDULE =
      NoiseSchedule.of(LinearSchedule.paper().scaledTo(100), 100);
  private static final ImageShape POINT = new ImageShape(2, 1, 1);
  private static final int COUNT = 300;
  private static final int BATCH = 128;

  private enum Problem {
    TWO_MOONS {
      @Override
      double[] point(SplittableRandom random) {
        double angle = Math.PI * random.nextDouble();
        boolean upper = random.nextBoolean();
        double x = upper ? Math.cos(angle) : 1 - Math.cos(angle);
        double y = upper ? Math.sin(angle) : 0.5 - Math.sin(angle);
        return new double[] {
          x - 0.5 + 0.08 * random.nextGaussian(), y - 0.25 + 0.08 * random.nextGaussian()
        };
      }
    },
    FIVE_GAUSSIANS {
      @Override
      double[] point(SplittableRandom random) {
        double angle = 2 * Math.PI * random.nextInt(5) / 5;
        return new double[] {
          Math.cos(angle) + 0.12 * random.nextGaussian(),
          Math.sin(angle) + 0.12 * random.nextGaussian()
        };
      }
    };

    abstract double[] point(SplittableRandom random);

    double[][] points(long seed, int count) {
      SplittableRandom random = new SplittableRandom(seed);
      double[][] points = new double[count][];
      for (int i = 0; i < count; i++) {
        points[i] = point(random);
      }
      return points;
    }
  }

  private static DataSet dataSet(double[][] points) {
    INDArray features = Nd4j.create(DataType.FLOAT, points.length, 2, 1, 1);
    for (int i = 0; i < points.length; i++) {
      features.putScalar(2L * i, points[i][0]);
      features.putScalar(2L * i + 1, points[i][1]);
    }
    return new DataSet(features, null);
  }

  private static double[][] points(INDArray images) {
    double[][] points = new double[(int) images.size(0)][];
    for (int i = 0; i < points.length; i++) {
      points[i] = new double[] {images.getDouble(2L * i), images.getDouble(2L * i + 1)};
    }
    return points;
  }

  @ParameterizedTest
  @Tag("slow")
  @CsvSource({"TWO_MOONS, V", "FIVE_GAUSSIANS, EPSILON", "TWO_MOONS, FLOW", "FIVE_GAUSSIANS, EDM"})
  void samplesCannotBeToldFromData(Problem problem, Parameterization parameterization)
      throws IOException {
    TrainingConfig config =
        new TrainingConfig(
            700,
            AdamWConfig.defaults().withLearningRate(3e-3),
            new LearningRateSchedule(50, LearningRateSchedule.Decay.COSINE),
            1.0,
            0.99,
            ObjectiveConfig.simple()
                .withParameterization(parameterization)
                .withTimesteps(
                    parameterization == Parameterization.EDM
                        ? TimestepSampling.LOG_NORMAL
                        : TimestepSampling.UNIFORM),
            3,
            500);
    AnnotatedUnet network = AnnotatedUnet.resnet(32, 2, List.of(1), 8).withAttention(1, 8);
    try (Unet unet = Unet.create(network, DataType.FLOAT, 1)) {
      Trainer trainer =
          new Trainer(
              unet,
              schedule(parameterization),
              config,
              step -> dataSet(problem.points(1000 + step, BATCH)));
      double untrained = pValue(problem, sample(trainer.unet(), parameterization));
      trainer.fit();
      assertThat(untrained).isLessThan(0.002);
      assertThat(pValue(problem, sample(trainer.emaUnet(), parameterization))).isGreaterThan(0.01);
    }
  }

  private static NoiseSchedule schedule(Parameterization parameterization) {
    return switch (parameterization) {
      case FLOW -> NoiseSchedule.of(FlowSchedule.straight(), SCHEDULE.timesteps());
      case EDM -> NoiseSchedule.of(EdmSchedule.paper(), SCHEDULE.timesteps());
      default -> SCHEDULE;
    };
  }

  private static double[][] sample(Unet unet, Parameterization parameterization) {
    NoiseSchedule schedule = schedule(parameterization);
    Sampler sampler =
        switch (parameterization) {
          case FLOW ->
              SamplerConfig.of(SamplerType.FLOW_HEUN).create(schedule, 20, X0Constraint.NONE);
          case EDM ->
              SamplerConfig.of(SamplerType.HEUN)
                  .withLevels(LevelSpacing.KARRAS)
                  .create(schedule, 20, X0Constraint.NONE);
          default ->
              new AncestralSampler(
                  schedule.respace(schedule.timesteps()),
                  ReverseVariance.POSTERIOR,
                  X0Constraint.NONE);
        };
    return points(
        DiffusionPipeline.of(unet, parameterization, schedule, sampler, POINT)
            .sample(COUNT, 5, COUNT, SamplingObserver.NONE));
  }

  private static double pValue(Problem problem, double[][] samples) {
    return new TwoSampleTest(samples, problem.points(7, COUNT)).pValue(11);
  }

  /** The test itself accepts data of the same kind and refuses a Gaussian of the same moments. */
  @Test
  void theTestIsSharp() {
    for (Problem problem : Problem.values()) {
      double[][] data = problem.points(8, COUNT);
      assertThat(pValue(problem, data)).isGreaterThan(0.05);
      double[] mean = new double[2];
      double[] deviation = new double[2];
      for (int axis = 0; axis < 2; axis++) {
        for (double[] point : data) {
          mean[axis] += point[axis] / COUNT;
        }
        for (double[] point : data) {
          deviation[axis] += Math.pow(point[axis] - mean[axis], 2) / COUNT;
        }
      }
      SplittableRandom random = new SplittableRandom(9);
      double[][] gaussian = new double[COUNT][2];
      for (double[] point : gaussian) {
        for (int axis = 0; axis < 2; axis++) {
          point[axis] = mean[axis] + Math.sqrt(deviation[axis]) * random.nextGaussian();
        }
      }
      assertThat(pValue(problem, gaussian)).isLessThan(0.01);
    }
  }
}
