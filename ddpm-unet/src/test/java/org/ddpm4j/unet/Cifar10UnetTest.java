package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The network of google/ddpm-cifar10-32 in its full width, where plans take other algorithms than
 * in small networks, on images of 8x8.
 */
@Tag("slow")
class Cifar10UnetTest {

  private static final double TOLERANCE = 1e-4;

  private static double norm(INDArray array) {
    return array.norm2Number().doubleValue();
  }

  @Test
  void plansEqualReference() {
    Unet2D config = Unet2D.cifar10();
    RandomArrays random = new RandomArrays(5);
    INDArray x = random.gaussian(1, 2, 3, 8, 8).castTo(DataType.FLOAT);
    INDArray t = random.gaussian(1, 2).castTo(DataType.FLOAT).muli(100).addi(500);
    INDArray target = random.gaussian(1, 2, 3, 8, 8).castTo(DataType.FLOAT);
    try (Unet fused =
            Unet.create(
                config,
                DataType.FLOAT,
                3,
                new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2));
        Unet reference = Unet.of(config, fused.parameters(), Execution.reference())) {
      INDArray expected = reference.predict(x, t);
      assertThat(norm(fused.predict(x, t).sub(expected))).isLessThan(TOLERANCE * norm(expected));

      Parameters gradient = fused.parameters().zerosLike();
      Parameters wanted = fused.parameters().zerosLike();
      double loss = reference.lossAndGradient(LossFunction.L2, x, t, target, wanted);
      assertThat(fused.lossAndGradient(LossFunction.L2, x, t, target, gradient) / loss)
          .isBetween(1 - TOLERANCE, 1 + TOLERANCE);
      double largest = norm(wanted.flat());
      for (Parameter parameter : wanted.declarations()) {
        INDArray slope = wanted.get(parameter.name());
        assertThat(norm(gradient.get(parameter.name()).sub(slope)))
            .as(parameter.name())
            .isLessThan(TOLERANCE * Math.max(norm(slope), 1e-3 * largest));
      }
    }
  }
}
