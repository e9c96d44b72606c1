package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Labels, weights and losses of single images, in both executions. */
class UnetInputTest {

  private static final int CLASSES = 3;
  private static final int BATCH = 19;
  private static final AnnotatedUnet WITHOUT_CLASSES =
      AnnotatedUnet.resnet(8, 2, List.of(1, 2), 2).withAttention(2, 4);
  private static final AnnotatedUnet WITH_CLASSES = WITHOUT_CLASSES.withClassEmbeddings(CLASSES);

  private final RandomArrays random = new RandomArrays(31);
  private final INDArray x = random.gaussian(1, BATCH, 2, 4, 6);
  private final INDArray t = Nd4j.math().abs(random.gaussian(200, BATCH));
  private final INDArray target = random.gaussian(1, BATCH, 2, 4, 6);
  private final INDArray weights = Nd4j.math().abs(random.gaussian(1, BATCH));
  private final INDArray labels = labels();
  private final UnetInput input = new UnetInput(x, t, labels);

  private static INDArray labels() {
    int[] labels = new int[BATCH];
    for (int n = 0; n < BATCH; n++) {
      labels[n] = n * n % CLASSES;
    }
    return Nd4j.createFromArray(labels);
  }

  private record Way(String name, DataType dataType, Execution execution, double tolerance) {

    Unet unet(UnetConfig config) {
      return Unet.create(config, dataType, 5, execution);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Way> ways() {
    return Stream.of(
        new Way("reference", DataType.DOUBLE, Execution.reference(), 1e-10),
        new Way(
            "fused",
            DataType.FLOAT,
            new Execution(LayersChoice.FUSED, Precision.FLOAT32, 2),
            1e-5));
  }

  private UnetInput image(int n, INDArray itsLabels) {
    var range = NDArrayIndex.interval(n, n + 1);
    return new UnetInput(x.get(range), t.get(range), itsLabels.get(range));
  }

  private INDArray target(int n) {
    return target.get(NDArrayIndex.interval(n, n + 1));
  }

  private static double distance(INDArray a, INDArray b) {
    INDArray wanted = b.castTo(DataType.DOUBLE);
    return a.castTo(DataType.DOUBLE).sub(wanted).norm2Number().doubleValue()
        / wanted.norm2Number().doubleValue();
  }

  @ParameterizedTest
  @MethodSource("ways")
  void theLabelOfAnImageDecidesAboutItAlone(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES)) {
      INDArray y = unet.predict(input);
      INDArray others = labels.dup();
      others.putScalar(7, (labels.getInt(7) + 1) % CLASSES);
      INDArray changed = unet.predict(new UnetInput(x, t, others));
      for (int n = 0; n < BATCH; n++) {
        assertThat(changed.slice(n).equals(y.slice(n))).as("image %d", n).isEqualTo(n != 7);
        assertThat(distance(unet.predict(image(n, labels)).slice(0), y.slice(n)))
            .isLessThan(way.tolerance);
      }
    }
  }

  /** The embedding is a summand of the time's: with its table zero, labels say nothing. */
  @ParameterizedTest
  @MethodSource("ways")
  void aClassIsARowOfItsTable(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES);
        Unet without = way.unet(WITHOUT_CLASSES)) {
      INDArray table = unet.parameters().get("class_embedding.weight");
      assertThat(table.shape()).containsExactly(CLASSES, 32);
      for (Parameter parameter : without.parameters().declarations()) {
        without.parameters().get(parameter.name()).assign(unet.parameters().get(parameter.name()));
      }
      INDArray expected = without.predict(x, t);
      assertThat(distance(unet.predict(input), expected)).isGreaterThan(1e-3);
      table.assign(0);
      assertThat(distance(unet.predict(input), expected)).isLessThan(way.tolerance);
      // The bias of the time's last layer is another summand.
      INDArray row = random.gaussian(1, 32).castTo(way.dataType);
      table.getRow(1).assign(row);
      without.parameters().get("time_mlp.3.bias").addi(row);
      expected = without.predict(x, t);
      INDArray ones = Nd4j.valueArrayOf(new long[] {BATCH}, 1, DataType.INT64);
      assertThat(distance(unet.predict(new UnetInput(x, t, ones)), expected))
          .isLessThan(way.tolerance);
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void takesLabelsOfAnyNumericType(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES)) {
      INDArray y = unet.predict(input);
      for (DataType type :
          List.of(DataType.INT64, DataType.UINT8, DataType.FLOAT, DataType.DOUBLE)) {
        assertThat(unet.predict(new UnetInput(x, t, labels.castTo(type)))).isEqualTo(y);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void givesTheLossOfEachImage(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES)) {
      INDArray y = unet.predict(input).castTo(DataType.DOUBLE);
      INDArray expected =
          NaiveLayers.lossPerImage(
              y.permute(0, 2, 3, 1), target.permute(0, 2, 3, 1), LossFunction.HUBER);
      double[] losses = unet.losses(LossFunction.HUBER, input, target);
      Parameters gradient = unet.parameters().zerosLike();
      double[] unweighted =
          unet.lossAndGradient(LossFunction.HUBER, input, target, weights, gradient);
      assertThat(losses).hasSize(BATCH);
      assertThat(unweighted).containsExactly(losses, within(way.tolerance));
      assertThat(losses).containsExactly(expected.toDoubleVector(), within(way.tolerance));
    }
  }

  /** The gradient of {@code Σ weight·loss / N} is put together from those of single images. */
  @ParameterizedTest
  @MethodSource("ways")
  void weighsTheGradientsOfImages(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES)) {
      INDArray expected = Nd4j.zeros(DataType.DOUBLE, unet.parameters().count());
      Parameters gradient = unet.parameters().zerosLike();
      for (int n = 0; n < BATCH; n++) {
        unet.lossAndGradient(LossFunction.L2, image(n, labels), target(n), null, gradient);
        expected.addi(gradient.flat().castTo(DataType.DOUBLE).mul(weights.getDouble(n) / BATCH));
      }
      unet.lossAndGradient(LossFunction.L2, input, target, weights, gradient);
      assertThat(distance(gradient.flat(), expected)).isLessThan(way.tolerance);

      Parameters ones = unet.parameters().zerosLike();
      unet.lossAndGradient(LossFunction.L2, input, target, Nd4j.ones(BATCH), ones);
      unet.lossAndGradient(LossFunction.L2, input, target, null, gradient);
      assertThat(ones.flat()).isEqualTo(gradient.flat());
      assertThat(distance(gradient.flat(), expected)).isGreaterThan(1e-3);
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void onlyRowsOfLabelsThatOccurHaveAGradient(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES)) {
      Parameters gradient = unet.parameters().zerosLike();
      gradient.flat().assign(3);
      INDArray zerosAndTwos = labels.castTo(DataType.DOUBLE).muli(2).subi(1);
      zerosAndTwos = Nd4j.math().abs(zerosAndTwos).subi(1);
      for (int n = 0; n < BATCH; n++) {
        assertThat(zerosAndTwos.getDouble(n)).isIn(0.0, 2.0);
      }
      unet.lossAndGradient(
          LossFunction.L2, new UnetInput(x, t, zerosAndTwos), target, null, gradient);
      INDArray table = gradient.get("class_embedding.weight");
      INDArray bias = gradient.get("time_mlp.3.bias");
      assertThat(table.getRow(1).toDoubleVector()).containsOnly(0);
      // The bias is added to every image, a row to those of its class.
      assertThat(distance(table.sum(0), bias)).isLessThan(way.tolerance);
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void conveniencesGiveTheMean(Way way) {
    try (Unet unet = way.unet(WITHOUT_CLASSES)) {
      UnetInput images = UnetInput.of(x, t);
      assertThat(unet.predict(x, t)).isEqualTo(unet.predict(images));
      double[] losses = unet.losses(LossFunction.L1, images, target);
      double sum = 0;
      for (double loss : losses) {
        sum += loss;
      }
      assertThat(unet.loss(LossFunction.L1, x, t, target)).isCloseTo(sum / BATCH, within(1e-12));
      Parameters one = unet.parameters().zerosLike();
      Parameters other = unet.parameters().zerosLike();
      assertThat(unet.lossAndGradient(LossFunction.L1, x, t, target, one))
          .isCloseTo(sum / BATCH, within(way.tolerance));
      unet.lossAndGradient(LossFunction.L1, images, target, null, other);
      assertThat(one.flat()).isEqualTo(other.flat());
    }
  }

  @Test
  void resultsDoNotDependOnThreads() {
    float[] expected = null;
    double[] expectedLosses = null;
    for (int threads : new int[] {1, 2, 5}) {
      try (Unet unet =
          Unet.create(
              WITH_CLASSES,
              DataType.FLOAT,
              5,
              new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads))) {
        Parameters gradient = unet.parameters().zerosLike();
        double[] losses = unet.lossAndGradient(LossFunction.L2, input, target, weights, gradient);
        float[] all = Nd4j.concat(0, gradient.flat(), unet.predict(input).ravel()).toFloatVector();
        if (expected == null) {
          expected = all;
          expectedLosses = losses;
        }
        assertThat(all).isEqualTo(expected);
        assertThat(losses).isEqualTo(expectedLosses);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void refusesLabelsAndWeightsThatDoNotFit(Way way) {
    try (Unet unet = way.unet(WITH_CLASSES);
        Unet without = way.unet(WITHOUT_CLASSES)) {
      refused(
          () -> without.predict(input),
          "The images have labels, but this U-Net knows no classes; leave the labels out.");
      refused(
          () -> unet.predict(x, t),
          "The images have no labels, but this U-Net has a class embedding of 3 rows; give each image a label from 0 to 2.");
      refused(
          () -> unet.predict(new UnetInput(x, t, Nd4j.zeros(1, BATCH))),
          "The labels have the shape [1, 19] where 19 images would need [19].");
      for (double label : new double[] {-1, 3, 0.5, Double.NaN}) {
        INDArray wrong = labels.castTo(DataType.DOUBLE);
        wrong.putScalar(4, label);
        refused(
            () -> unet.losses(LossFunction.L2, new UnetInput(x, t, wrong), target),
            "Image 4 has the label %s where the class embedding of this U-Net has 3 rows; labels are whole numbers from 0 to 2."
                .formatted(label));
      }
      Parameters gradient = unet.parameters().zerosLike();
      refused(
          () ->
              unet.lossAndGradient(LossFunction.L2, input, target, Nd4j.ones(BATCH - 1), gradient),
          "The weights have the shape [18] where 19 images would need [19].");
      INDArray infinite = weights.dup();
      infinite.putScalar(2, Double.POSITIVE_INFINITY);
      refused(
          () -> unet.lossAndGradient(LossFunction.L2, input, target, infinite, gradient),
          "The weight of image 2 is Infinity; weights are finite numbers.");
    }
  }

  static Stream<Arguments> invalidCounts() {
    return Stream.of(Arguments.of(-1), Arguments.of((1 << 20) + 1));
  }

  @ParameterizedTest
  @MethodSource("invalidCounts")
  void refusesTablesOfImpossibleSize(int count) {
    refused(
        () -> WITHOUT_CLASSES.withClassEmbeddings(count),
        "This U-Net cannot be built: num_class_embeds is %d; it must be 0 to 1048576."
            .formatted(count));
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("%s", message);
  }
}
