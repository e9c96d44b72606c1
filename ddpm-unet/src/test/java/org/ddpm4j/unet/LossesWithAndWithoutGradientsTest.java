package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Without a gradient, convolutions apply the functions behind them by themselves; losses have the
 * same bits. Also run as on a processor without AVX.
 */
class LossesWithAndWithoutGradientsTest {

  private static final int BATCH = 3;

  private final RandomArrays random = new RandomArrays(43);

  static Stream<UnetConfig> networks() {
    return Stream.of(
        new MinimalUnet(4, 1, 3, 8),
        AnnotatedUnet.convnext(8, 3, List.of(1, 2)).withAttention(2, 4),
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(2, 4),
        UnetExamples.transformer(),
        UnetExamples.lucidrains());
  }

  @ParameterizedTest
  @MethodSource("networks")
  void haveTheSameBits(UnetConfig config) {
    INDArray labels = config.classEmbeddings() > 0 ? Nd4j.zeros(DataType.INT32, BATCH) : null;
    UnetInput input =
        new UnetInput(
            images(config.inChannels()),
            Nd4j.math().abs(random.gaussian(200, BATCH)).castTo(DataType.FLOAT),
            labels);
    INDArray target = images(config.outChannels());
    Execution fused = new Execution(LayersChoice.FUSED, Precision.FLOAT32, 1);
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused)) {
      double[] losses =
          unet.lossAndGradient(LossFunction.L2, input, target, null, unet.parameters().zerosLike());
      assertThat(unet.losses(LossFunction.L2, input, target)).containsExactly(losses);
    }
  }

  private INDArray images(int channels) {
    return random.gaussian(1, BATCH, channels, 16, 16).castTo(DataType.FLOAT);
  }
}
