package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** A hundred steps of training with fused layers beside the same with reference layers. */
@Tag("slow")
class FusedTrainingTest {

  private static final int STEPS = 100;

  /** The losses of both were never seen further apart than 2e-7. */
  private static final double TOLERANCE = 1e-5;

  private static final int BATCH = 8;
  private static final int CHANNELS = 1;
  private static final int SIZE = 8;

  /** Adam (Kingma and Ba 2015, algorithm 1) with its usual constants. */
  private static final class Adam {

    private static final double RATE = 1e-3;
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private INDArray m;
    private INDArray v;

    void update(Parameters weights, Parameters gradient, int step) {
      INDArray g = gradient.flat();
      if (m == null) {
        m = g.like();
        v = g.like();
      }
      m.muli(BETA1).addi(g.mul(1 - BETA1));
      v.muli(BETA2).addi(g.mul(g).muli(1 - BETA2));
      INDArray first = m.div(1 - Math.pow(BETA1, step + 1));
      INDArray second = v.div(1 - Math.pow(BETA2, step + 1));
      weights.flat().subi(first.divi(Transforms.sqrt(second, false).addi(EPSILON)).muli(RATE));
    }
  }

  static Stream<AnnotatedUnet> networks() {
    return Stream.of(
        AnnotatedUnet.resnet(8, CHANNELS, List.of(1, 2), 2).withAttention(2, 8),
        AnnotatedUnet.convnext(8, CHANNELS, List.of(1, 2)).withAttention(2, 8));
  }

  /** The loss of each step; everything but the layers is the same in every call. */
  private static double[] train(Unet unet) {
    RandomArrays random = new RandomArrays(23);
    INDArray images = random.gaussian(1, 4L * BATCH, CHANNELS, 2, 2);
    Parameters gradient = unet.parameters().zerosLike();
    Adam adam = new Adam();
    double[] losses = new double[STEPS];
    for (int step = 0; step < STEPS; step++) {
      INDArray t = random.gaussian(1, BATCH);
      INDArray xt = Nd4j.zeros(DataType.DOUBLE, BATCH, CHANNELS, SIZE, SIZE);
      INDArray eps = random.gaussian(1, BATCH, CHANNELS, SIZE, SIZE);
      for (int n = 0; n < BATCH; n++) {
        double time = Math.floor(Math.abs(t.getDouble(n)) * 400);
        t.putScalar(n, time);
        double signal = Math.exp(-time / 400);
        int image = (step * BATCH + n) % (4 * BATCH);
        for (int h = 0; h < SIZE; h++) {
          for (int w = 0; w < SIZE; w++) {
            // Images of four squares.
            double x0 = images.getDouble(image, 0, 2L * h / SIZE, 2L * w / SIZE);
            double noise = Math.sqrt(1 - signal * signal) * eps.getDouble(n, 0, h, w);
            xt.putScalar(new long[] {n, 0, h, w}, signal * x0 + noise);
          }
        }
      }
      losses[step] = unet.lossAndGradient(LossFunction.L2, xt, t, eps, gradient);
      adam.update(unet.parameters(), gradient, step);
    }
    return losses;
  }

  @ParameterizedTest
  @MethodSource("networks")
  void followsTheReference(AnnotatedUnet config) {
    Parameters weights = Unet.create(config, DataType.FLOAT, 3).parameters();
    Parameters precise =
        Parameters.zeros(Unet.declarations(config, DataType.DOUBLE), DataType.DOUBLE);
    precise.flat().assign(weights.flat().castTo(DataType.DOUBLE));
    double[] expected = train(Unet.of(config, precise, Execution.reference()));
    double[] actual;
    try (Unet unet =
        Unet.of(config, weights, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2))) {
      actual = train(unet);
    }
    for (int step = 0; step < STEPS; step++) {
      assertThat(actual[step])
          .as("step %d", step)
          .isCloseTo(expected[step], offset(TOLERANCE * expected[step]));
    }
    assertThat(expected[STEPS - 1]).as("it learns").isLessThan(0.8 * expected[0]);
  }
}
