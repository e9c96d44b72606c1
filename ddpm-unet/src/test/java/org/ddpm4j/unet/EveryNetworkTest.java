package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What holds of all architectures: fused equals reference, and results depend on nothing else. */
class EveryNetworkTest {

  private static final double TOLERANCE = 2e-5;

  /** Two micro-batches and a rest. */
  private static final int BATCH = 37;

  private final RandomArrays random = new RandomArrays(41);

  static Stream<UnetConfig> networks() {
    return Stream.of(
        TutorialUnet.of(2, 1000).withDim(7),
        TutorialUnet.of(1, 600).withDim(8).withClassEmbeddings(4),
        new MinimalUnet(4, 1, 3, 8),
        UnetExamples.plain(),
        UnetExamples.attentive(),
        UnetExamples.resampledByResnets(),
        UnetExamples.filtered(),
        UnetExamples.transformer(),
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(2, 4).withClassEmbeddings(4),
        AnnotatedUnet.convnext(8, 3, List.of(1, 2))
            .withAttention(2, 4)
            .withOutChannels(6)
            .withClassEmbeddings(2),
        AnnotatedUnet.resnet(8, 3, List.of(1, 2), 2).withAttention(2, 4).withPatchSize(4),
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2)
            .withAttention(2, 4)
            .withAttention(AnnotatedUnet.Attention.MIDDLE),
        AnnotatedUnet.convnext(8, 1, List.of(1, 2)).withAttention(AnnotatedUnet.Attention.NONE),
        UnetExamples.lucidrains(),
        UnetExamples.lucidrainsOfClasses());
  }

  static Stream<UnetConfig> networksWithClasses() {
    return networks().filter(config -> config.classEmbeddings() > 0);
  }

  private static Execution fused(int threads) {
    return new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads);
  }

  private UnetInput input(UnetConfig config, int images) {
    INDArray labels = null;
    if (config.classEmbeddings() > 0) {
      labels = Nd4j.zeros(DataType.INT32, images);
      for (int n = 0; n < images; n++) {
        labels.putScalar(n, n * 3 % config.classEmbeddings());
      }
    }
    return new UnetInput(
        random.gaussian(1, images, config.inChannels(), 16, 16).castTo(DataType.FLOAT),
        Nd4j.math().abs(random.gaussian(200, images)).castTo(DataType.FLOAT),
        labels);
  }

  private INDArray target(UnetConfig config, int images) {
    return random.gaussian(1, images, config.outChannels(), 16, 16).castTo(DataType.FLOAT);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void fusedEqualsReference(UnetConfig config) {
    UnetInput input = input(config, 5);
    INDArray target = target(config, 5);
    INDArray weights = Nd4j.math().abs(random.gaussian(1, 5));
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused(2))) {
      Parameters precise =
          Parameters.zeros(Unet.declarations(config, DataType.DOUBLE), DataType.DOUBLE);
      precise.flat().assign(unet.parameters().flat().castTo(DataType.DOUBLE));
      Unet reference = Unet.of(config, precise, Execution.reference());
      assertClose(unet.predict(input), reference.predict(input));
      Parameters actual = unet.parameters().zerosLike();
      Parameters expected = precise.zerosLike();
      INDArray losses =
          Nd4j.createFromArray(
              unet.lossAndGradient(LossFunction.HUBER, input, target, weights, actual));
      INDArray expectedLosses =
          Nd4j.createFromArray(
              reference.lossAndGradient(LossFunction.HUBER, input, target, weights, expected));
      assertClose(losses, expectedLosses);
      assertClose(
          Nd4j.createFromArray(unet.losses(LossFunction.HUBER, input, target)), expectedLosses);
      double largest = norm(expected.flat());
      for (Parameter parameter : expected.declarations()) {
        INDArray wanted = expected.get(parameter.name());
        INDArray found = actual.get(parameter.name()).castTo(DataType.DOUBLE);
        assertThat(norm(found.sub(wanted)))
            .as(parameter.name())
            .isLessThan(2 * TOLERANCE * Math.max(norm(wanted), 1e-3 * largest));
      }
    }
  }

  private static double norm(INDArray array) {
    return array.norm2Number().doubleValue();
  }

  private static void assertClose(INDArray actual, INDArray expected) {
    assertThat(norm(actual.castTo(DataType.DOUBLE).sub(expected)))
        .isLessThan(TOLERANCE * norm(expected));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void resultsDependNeitherOnThreadsNorOnOtherImages(UnetConfig config) {
    UnetInput input = input(config, BATCH);
    INDArray target = target(config, BATCH);
    float[] output;
    float[] slopes;
    double[] losses;
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused(1))) {
      INDArray y = unet.predict(input);
      output = y.ravel().toFloatVector();
      Parameters gradient = unet.parameters().zerosLike();
      losses = unet.lossAndGradient(LossFunction.L2, input, target, null, gradient);
      slopes = gradient.flat().toFloatVector();
      assertThat(unet.losses(LossFunction.L2, input, target)).containsExactly(losses);
      for (int n : new int[] {0, 15, BATCH - 1}) {
        var range = NDArrayIndex.interval(n, n + 1);
        UnetInput alone =
            new UnetInput(
                input.x().get(range),
                input.t().get(range),
                input.labels() == null ? null : input.labels().get(range));
        assertThat(unet.predict(alone).ravel().toFloatVector())
            .as("image %d", n)
            .isEqualTo(y.slice(n).ravel().toFloatVector());
      }
    }
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused(3))) {
      Parameters gradient = unet.parameters().zerosLike();
      assertThat(unet.lossAndGradient(LossFunction.L2, input, target, null, gradient))
          .containsExactly(losses);
      assertThat(Arrays.mismatch(gradient.flat().toFloatVector(), slopes)).isEqualTo(-1);
      assertThat(Arrays.mismatch(unet.predict(input).ravel().toFloatVector(), output))
          .isEqualTo(-1);
    }
  }

  /** Predictions keep what depends on labels alone. */
  @ParameterizedTest
  @MethodSource("networksWithClasses")
  void followsLabels(UnetConfig config) {
    UnetInput input = input(config, 3);
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused(1))) {
      INDArray[] labels = {
        Nd4j.zeros(DataType.INT32, 3), Nd4j.ones(DataType.INT32, 3), input.labels()
      };
      INDArray[] expected = new INDArray[labels.length];
      for (int round = 0; round < 3 * labels.length; round++) {
        int i = round % labels.length;
        INDArray y = unet.predict(new UnetInput(input.x(), input.t(), labels[i]));
        if (expected[i] == null) {
          expected[i] = y;
          assertThat(i == 0 || !y.equals(expected[i - 1])).isTrue();
        }
        assertThat(y).isEqualTo(expected[i]);
      }
    }
  }
}
