package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.List;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class UnetProfileTest {

  private static final List<Integer> MULTS = List.of(1, 2, 4);

  /** One batch is cut into micro-batches of several sizes. */
  private static final int IMAGES = 11;

  private final INDArray x = Nd4j.rand(DataType.FLOAT, IMAGES, 1, 28, 28);
  private final INDArray t = Nd4j.arange(IMAGES).castTo(DataType.FLOAT);
  private final PlanProfile profile = new PlanProfile();

  private static Unet fused(UnetConfig config) {
    return Unet.create(
        config, DataType.FLOAT, 1, new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2));
  }

  /**
   * Counted by PyTorch's FlopCounterMode: 0.324 GFLOP an image with ResNet blocks, 0.560 with
   * ConvNeXt ones.
   */
  @Test
  void countsTheFloatingPointOperationsOfPyTorchsNetworks() {
    assertThat(gigaflopsAnImage(AnnotatedUnet.resnet(28, 1, MULTS, 1)))
        .isCloseTo(0.324, withinPercentage(1));
    assertThat(gigaflopsAnImage(AnnotatedUnet.convnext(28, 1, MULTS)))
        .isCloseTo(0.560, withinPercentage(1));
  }

  private double gigaflopsAnImage(UnetConfig config) {
    PlanProfile ofPrediction = new PlanProfile();
    try (Unet unet = fused(config)) {
      unet.startProfile(ofPrediction);
      unet.predict(x, t);
    }
    return ofPrediction.total().flops() / IMAGES / 1e9;
  }

  @Test
  void measuresFromStartToStopAndChangesNoResult() {
    try (Unet unet = fused(AnnotatedUnet.resnet(4, 1, MULTS, 1).withAttention(1, 4))) {
      Parameters gradient = unet.parameters().zerosLike();
      INDArray before = unet.predict(x, t);
      double lossBefore = unet.lossAndGradient(LossFunction.L2, x, t, x, gradient);
      INDArray gradientBefore = gradient.flat().dup();

      unet.startProfile(profile);
      assertThat(unet.predict(x, t)).isEqualTo(before);
      assertThat(unet.lossAndGradient(LossFunction.L2, x, t, x, gradient)).isEqualTo(lossBefore);
      assertThat(gradient.flat()).isEqualTo(gradientBefore);
      unet.stopProfile();
      assertThat(profile.byKind()).containsKeys("ddpm_conv2d", "ddpm_conv2d_bp");

      PlanProfile.Cost total = profile.total();
      unet.predict(x, t);
      unet.loss(LossFunction.L2, x, t, x);
      assertThat(profile.total()).isEqualTo(total);

      unet.startProfile(profile);
      unet.loss(LossFunction.L2, x, t, x);
      assertThat(profile.total().runs()).isGreaterThan(total.runs());
    }
  }

  @Test
  void referenceLayersAreNotMeasured() {
    Unet unet =
        Unet.create(
            AnnotatedUnet.resnet(4, 1, MULTS, 1).withAttention(1, 4),
            DataType.FLOAT,
            1,
            Execution.reference());
    assertThat(unet.execution()).isEqualTo(Execution.reference());
    unet.startProfile(profile);
    unet.predict(x, t);
    assertThat(profile.total()).isEqualTo(PlanProfile.Cost.NONE);
  }
}
