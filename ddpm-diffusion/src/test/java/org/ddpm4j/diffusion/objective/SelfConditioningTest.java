package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Network;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class SelfConditioningTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final int[] T = {3, 400};
  private static final INDArray X0 = noise(1);
  private static final INDArray EPS = noise(2);

  private static INDArray noise(long seed) {
    return NoiseSource.seeded(seed, 0).gaussian(0, T.length, 1, 4, 4).castTo(DataType.DOUBLE);
  }

  private static Unet unet() {
    AnnotatedUnet network =
        AnnotatedUnet.resnet(4, 2, List.of(1), 2).withAttention(1, 4).withOutChannels(1);
    return Unet.create(network, DataType.DOUBLE, 1);
  }

  private static TrainingBatch batch(long step) {
    BatchRandom random = new BatchRandom(new CounterRandom(5, Purpose.TRAINING_NOISE), step, 0);
    return new TrainingBatch(X0, Optional.empty(), T, random, Optional.of(EPS));
  }

  /** The gradient of the second answer alone, at a first one that is a number like any other. */
  @Test
  void halfOfTheStepsAreToldTheEstimate() {
    SimpleObjective objective =
        new SimpleObjective(
            SCHEDULE, Parameterization.V, LossFunction.L2, new LossWeighting.Uniform());
    INDArray xt = Parameterization.EPSILON.input(SCHEDULE, X0, EPS, T);
    INDArray target = Parameterization.V.target(SCHEDULE, X0, EPS, T);
    INDArray t = Nd4j.createFromArray(T);
    try (Unet unet = unet()) {
      assertThat(unet.config().selfConditions()).isTrue();
      assertThat(unet.config().imageChannels()).isEqualTo(1);
      INDArray untold = Nd4j.concat(1, xt.like(), xt);
      INDArray estimate =
          Parameterization.V.estimate(SCHEDULE, xt, unet.predict(untold, t), T).x0();
      INDArray told = Nd4j.concat(1, estimate, xt);
      INDArray ones = Nd4j.ones(DataType.DOUBLE, 2);
      List<Parameters> expected = new ArrayList<>();
      for (INDArray x : List.of(untold, told)) {
        Parameters gradient = unet.parameters().zerosLike();
        unet.lossAndGradient(LossFunction.L2, UnetInput.of(x, t), target, ones, gradient);
        expected.add(gradient);
      }
      assertThat(expected.get(0).flat()).isNotEqualTo(expected.get(1).flat());

      int toldSteps = 0;
      for (int step = 0; step < 40; step++) {
        Parameters gradient = unet.parameters().zerosLike();
        objective.lossAndGradient(unet, batch(step), new double[] {1, 1}, gradient);
        boolean isTold = gradient.flat().equalsWithEps(expected.get(1).flat(), 1e-12);
        assertThat(isTold || gradient.flat().equalsWithEps(expected.get(0).flat(), 1e-12)).isTrue();
        toldSteps += isTold ? 1 : 0;
      }
      assertThat(toldSteps).isBetween(12, 28);
      double[] heldOut = unet.losses(LossFunction.L2, UnetInput.of(told, t), target);
      for (long step : new long[] {0, 1, 2}) {
        assertThat(objective.losses(unet, batch(step))).containsExactly(heldOut, within(1e-12));
      }
    }
  }

  /** Zero at first, then what was estimated, within [-1,1]; each run begins anew. */
  @Test
  void samplingFeedsThePreviousEstimate() {
    List<INDArray> given = new ArrayList<>();
    Network network =
        (x, t) -> {
          given.add(x.dup('c'));
          return x.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 2)).mul(3);
        };
    Denoiser denoiser = NetworkDenoiser.of(network, true, Parameterization.X0, SCHEDULE);
    INDArray x = Nd4j.createFromArray(-1f, 0.1f, 0.2f, 5f).reshape('c', 1, 1, 2, 2);
    for (int i = 0; i < 2; i++) {
      Denoiser.Estimate estimate = denoiser.denoise(x, NoiseLevel.of(SCHEDULE, 10));
      assertThat(estimate.x0().toString()).isEqualTo(x.mul(3).toString());
    }
    assertThat(estimateIn(given.get(0))).containsExactly(0f, 0f, 0f, 0f);
    assertThat(estimateIn(given.get(1))).containsExactly(-1f, 0.3f, 0.6f, 1f);
    assertThat(IntStream.range(4, 8).mapToObj(i -> given.get(1).getFloat(i)))
        .containsExactly(-1f, 0.1f, 0.2f, 5f);
  }

  private static float[] estimateIn(INDArray input) {
    float[] all = input.data().asFloat();
    return new float[] {all[0], all[1], all[2], all[3]};
  }
}
