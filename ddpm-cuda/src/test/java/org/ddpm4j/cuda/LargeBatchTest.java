package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The gradient of a whole batch of the size that people train with against the processor's: blocks
 * and tiles are chosen by size, so that small cases do not meet the same ones.
 */
class LargeBatchTest {

  private static final UnetConfig NETWORK = AnnotatedUnet.resnet(28, 1, List.of(1, 2, 4), 1);

  /** The emulation would take hours for 128. */
  private static final int IMAGES = Integer.getInteger("ddpm4j.batch", 128);

  private static DeviceName device() {
    DeviceName card = DeviceName.parse("cuda");
    return Devices.obstacle(card).isEmpty() || !Boolean.getBoolean("ddpm4j.emulateLargeBatch")
        ? card
        : DeviceName.parse("emulated");
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void gradientIsTheProcessors(Precision precision) {
    DeviceName device = device();
    assumeTrue(Devices.obstacle(device).isEmpty(), () -> Devices.obstacle(device).orElseThrow());
    Random random = new Random(3);
    INDArray x = noise(random, IMAGES, 1, 28, 28);
    INDArray target = noise(random, IMAGES, 1, 28, 28);
    float[] t = new float[IMAGES];
    for (int i = 0; i < IMAGES; i++) {
      t[i] = random.nextInt(600);
    }
    UnetInput input = UnetInput.of(x, Nd4j.createFromArray(t));
    double tolerance =
        switch (precision) {
          case FLOAT32 -> 1e-4;
          case TFLOAT32 -> 1e-2;
          case BFLOAT16 -> 6e-2;
        };
    try (Unet host =
            Unet.create(
                NETWORK,
                DataType.FLOAT,
                1,
                new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2));
        Unet card =
            Unet.of(
                NETWORK,
                host.parameters(),
                new Execution(LayersChoice.FUSED, precision, 1, device))) {
      INDArray y = host.predict(input);
      assertThat(distance(card.predict(input), y)).as("output").isLessThan(tolerance);
      Parameters expected = host.parameters().zerosLike();
      Parameters actual = host.parameters().zerosLike();
      host.lossAndGradient(LossFunction.L2, input, target, null, expected);
      card.lossAndGradient(LossFunction.L2, input, target, null, actual);
      List<String> wrong = new ArrayList<>();
      double largest = 0;
      for (INDArray tensor : expected.toPyTorch().values()) {
        largest = Math.max(largest, tensor.norm2Number().doubleValue());
      }
      for (Map.Entry<String, INDArray> entry : expected.toPyTorch().entrySet()) {
        INDArray wanted = entry.getValue();
        INDArray found = actual.toPyTorch().get(entry.getKey());
        double error = found.sub(wanted).norm2Number().doubleValue();
        double scale = Math.max(wanted.norm2Number().doubleValue(), 1e-2 * largest);
        if (!(error <= 3 * tolerance * scale)) {
          wrong.add("%s differs by %.3g of %.3g".formatted(entry.getKey(), error, scale));
        }
      }
      assertThat(wrong).isEmpty();
      assertThat(distance(actual.flat(), expected.flat())).isLessThan(tolerance);
    }
  }

  private static INDArray noise(Random random, int... shape) {
    int length = 1;
    for (int size : shape) {
      length *= size;
    }
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Nd4j.createFromArray(values).reshape(shape);
  }

  private static double distance(INDArray actual, INDArray expected) {
    return actual.sub(expected).norm2Number().doubleValue() / expected.norm2Number().doubleValue();
  }
}
