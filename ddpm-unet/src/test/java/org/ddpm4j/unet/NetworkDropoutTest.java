package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.LucidrainsUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Networks in training and at work: dropout is a function of each image, and of training alone. */
class NetworkDropoutTest {

  private static final BatchKey KEY = new BatchKey(7, 12, 100, 9);
  private static final int IMAGES = 5;

  private static final AnnotatedUnet ANNOTATED =
      AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(1, 4);

  private final RandomArrays random = new RandomArrays(43);

  static Stream<UnetConfig> networks() {
    DiffusionTransformer transformer = UnetExamples.transformer();
    DiffusionTransformer.Blocks blocks = transformer.blocks();
    return Stream.of(
        ANNOTATED.withDropout(0.3),
        UnetExamples.plain().withDropout(0.2),
        UnetExamples.lucidrains().withDropout(0.3),
        UnetExamples.lucidrainsOfClasses().withDropout(0.3),
        new DiffusionTransformer(
            transformer.images(),
            new DiffusionTransformer.Blocks(
                blocks.count(),
                blocks.heads(),
                blocks.headDim(),
                blocks.activation(),
                blocks.epsilon(),
                0.25),
            transformer.classes()));
  }

  private static Execution fused(int threads) {
    return new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads);
  }

  private UnetInput input(UnetConfig config, int images) {
    return new UnetInput(
        random.gaussian(1, images, config.inChannels(), 16, 16).castTo(DataType.FLOAT),
        Nd4j.math().abs(random.gaussian(200, images)).castTo(DataType.FLOAT),
        config.classEmbeddings() == 0 ? null : Nd4j.zeros(DataType.INT32, images));
  }

  private static UnetInput part(UnetInput input, int first, int end) {
    var range = NDArrayIndex.interval(first, end);
    return new UnetInput(
        input.x().get(range),
        input.t().get(range),
        input.labels() == null ? null : input.labels().get(range));
  }

  private static float[] floats(INDArray array) {
    return array.ravel().toFloatVector();
  }

  /** Whatever the threads, and whatever other images there are: an image has its own masks. */
  @ParameterizedTest
  @MethodSource("networks")
  void masksBelongToImages(UnetConfig config) {
    UnetInput input = input(config, IMAGES);
    INDArray y;
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused(1))) {
      y = unet.predict(input.withDropout(KEY));
      UnetInput last = part(input, 2, IMAGES).withDropout(new BatchKey(7, 12, 102, 9));
      assertThat(floats(unet.predict(last)))
          .isEqualTo(floats(y.get(NDArrayIndex.interval(2, IMAGES))));
      assertThat(floats(unet.predict(part(input, 2, IMAGES).withDropout(KEY))))
          .as("other numbers of images, other masks")
          .isNotEqualTo(floats(y.get(NDArrayIndex.interval(2, IMAGES))));
    }
    try (Unet unet = Unet.create(config, DataType.FLOAT, 9, fused(3))) {
      assertThat(floats(unet.predict(input.withDropout(KEY)))).isEqualTo(floats(y));
    }
  }

  private static Stream<Arguments> withAndWithout() {
    LucidrainsUnet lucidrains = UnetExamples.lucidrains();
    return Stream.of(
        Arguments.of(ANNOTATED, ANNOTATED.withDropout(0.3)),
        Arguments.of(lucidrains, lucidrains.withDropout(0.3)));
  }

  /** To the bit: without a key nothing is dropped, and losses are those of the whole network. */
  @ParameterizedTest
  @MethodSource("withAndWithout")
  void atWorkNothingIsDropped(UnetConfig without, UnetConfig with) {
    UnetInput input = input(without, IMAGES);
    INDArray target = random.gaussian(1, IMAGES, 1, 16, 16).castTo(DataType.FLOAT);
    try (Unet plain = Unet.create(without, DataType.FLOAT, 9, fused(2));
        Unet unet = Unet.create(with, DataType.FLOAT, 9, fused(2))) {
      float[] y = floats(plain.predict(input));
      double[] losses = plain.losses(LossFunction.L2, input, target);
      for (int round = 0; round < 2; round++) {
        assertThat(floats(unet.predict(input))).isEqualTo(y);
        assertThat(unet.losses(LossFunction.L2, input, target)).isEqualTo(losses);
        assertThat(floats(unet.predict(input.withDropout(KEY)))).isNotEqualTo(y);
        assertThat(
                unet.lossAndGradient(
                    LossFunction.L2,
                    input.withDropout(KEY),
                    target,
                    null,
                    unet.parameters().zerosLike()))
            .isNotEqualTo(losses);
      }
      assertThat(floats(plain.predict(input.withDropout(KEY))))
          .as("a network without dropout does not look at keys")
          .isEqualTo(y);
    }
  }

  private static UnetGraph graph(UnetConfig config, UnetGraph.Mode mode) {
    return UnetGraph.forward(config, 16, 16, DataType.FLOAT, FusedLayers::new, mode);
  }

  private static List<String> operations(UnetGraph graph) {
    return graph.sameDiff().getOps().values().stream().map(op -> op.getOp().opName()).toList();
  }

  /** Those of a network without, and in training the dropouts beside. */
  @Test
  void graphsHaveDropoutInTrainingAlone() {
    UnetConfig config = ANNOTATED.withDropout(0.3);
    List<String> plain = operations(graph(ANNOTATED, UnetGraph.Mode.trainingOf(ANNOTATED)));
    assertThat(UnetGraph.Mode.trainingOf(new MinimalUnet(4, 1, 3, 8)))
        .isEqualTo(UnetGraph.Mode.INFERENCE);
    assertThat(operations(graph(config, UnetGraph.Mode.INFERENCE))).isEqualTo(plain);
    List<String> training = operations(graph(config, UnetGraph.Mode.trainingOf(config)));
    assertThat(training.stream().filter(name -> !name.equals("ddpm_dropout"))).isEqualTo(plain);
    // Two blocks a level down, two in the middle, two a level up but one, and the last one.
    assertThat(training).hasSize(plain.size() + 2 * 2 + 2 + 2 + 1);
  }

  /** As in Ho et al. 2020: what reads a dropout is the second convolution of a block. */
  @Test
  void dropoutIsBeforeTheSecondConvolution() {
    secondConvolutionsRead(ANNOTATED.withDropout(0.3), ".block2.proj.weight", 9);
    // Two blocks a level down, two in the middle, three a level up.
    secondConvolutionsRead(UnetExamples.plain().withDropout(0.3), ".conv2.weight", 12);
    // Two blocks on each of three levels down, two in the middle, as many up, and the last one.
    secondConvolutionsRead(
        UnetExamples.lucidrains().withDropout(0.3), ".block2.proj.weight", 6 + 2 + 6 + 1);
  }

  private static void secondConvolutionsRead(UnetConfig config, String weight, int blocks) {
    Map<String, SameDiffOp> ops = graph(config, UnetGraph.Mode.TRAINING).sameDiff().getOps();
    List<String> dropped =
        ops.values().stream()
            .filter(op -> op.getOp().opName().equals("ddpm_dropout"))
            .map(op -> op.getOutputsOfOp().get(0))
            .toList();
    List<String> read =
        ops.values().stream()
            .filter(op -> op.getInputsToOp().stream().anyMatch(name -> name.endsWith(weight)))
            .map(op -> op.getInputsToOp().get(0))
            .toList();
    assertThat(read).hasSize(blocks).containsExactlyElementsOf(dropped);
  }

  /** The whole network's gradient in double precision, with its masks, by differences. */
  @ParameterizedTest
  @MethodSource("withAndWithout")
  void theGradientIsThatOfDifferences(UnetConfig without, UnetConfig config) {
    try (Unet unet = Unet.create(config, DataType.DOUBLE, 3, Execution.reference())) {
      UnetInput input = input(config, 2).withDropout(KEY);
      INDArray target = random.gaussian(1, 2, 1, 16, 16);
      Parameters gradient = unet.parameters().zerosLike();
      Parameters ignored = unet.parameters().zerosLike();
      unet.lossAndGradient(LossFunction.L2, input, target, null, gradient);
      INDArray direction = random.gaussian(1, unet.parameters().count());
      double step = 1e-5;
      double[] sides = new double[2];
      for (int side = 0; side < 2; side++) {
        unet.parameters().flat().addi(direction.mul(side == 0 ? -step : 2 * step));
        double[] losses = unet.lossAndGradient(LossFunction.L2, input, target, null, ignored);
        sides[side] = (losses[0] + losses[1]) / 2;
      }
      double slope = (sides[1] - sides[0]) / (2 * step);
      double expected = gradient.flat().mul(direction).sumNumber().doubleValue();
      assertThat(expected / slope).isBetween(1 - 1e-5, 1 + 1e-5);
    }
  }
}
