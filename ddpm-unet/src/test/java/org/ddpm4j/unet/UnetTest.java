package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A network as its users see it. */
class UnetTest {

  private static final AnnotatedUnet CONFIG =
      AnnotatedUnet.resnet(8, 2, List.of(1, 2), 2).withAttention(2, 4);

  private final RandomArrays random = new RandomArrays(5);

  private INDArray images(DataType dataType, int batch) {
    return random.gaussian(1, batch, 2, 4, 6).castTo(dataType);
  }

  private INDArray timesteps(DataType dataType, int batch) {
    return random.gaussian(50, batch).castTo(dataType);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void readsItsWeightsFromTheFlatBuffer(DataType dataType) {
    Unet unet = Unet.create(CONFIG, dataType, 1);
    INDArray x = images(dataType, 2);
    INDArray t = timesteps(dataType, 2);
    INDArray before = unet.predict(x, t);
    INDArray kept = before.dup();
    Parameters gradient = unet.parameters().zerosLike();
    double lossBefore = unet.lossAndGradient(LossFunction.L2, x, t, x, gradient);

    unet.parameters().flat().muli(0.5);

    INDArray after = unet.predict(x, t);
    assertThat(after).isNotEqualTo(before);
    assertThat(before).isEqualTo(kept);
    Unet fresh = Unet.create(CONFIG, dataType, 1);
    fresh.parameters().flat().muli(0.5);
    assertThat(after).isEqualTo(fresh.predict(x, t));
    assertThat(unet.lossAndGradient(LossFunction.L2, x, t, x, gradient))
        .isNotEqualTo(lossBefore)
        .isEqualTo(fresh.lossAndGradient(LossFunction.L2, x, t, x, fresh.parameters().zerosLike()));
  }

  /** The last layer is a 1x1 convolution: without its weights its bias remains. */
  @Test
  void saysItsLastBiasWhenTheLastWeightsAreZero() {
    Unet unet = Unet.create(CONFIG, DataType.FLOAT, 1);
    unet.parameters().get("final_conv.1.weight").assign(0);
    unet.parameters().get("final_conv.1.bias").assign(Nd4j.createFromArray(3f, -4f));
    INDArray y = unet.predict(images(DataType.FLOAT, 3), timesteps(DataType.FLOAT, 3));
    assertThat(y.shape()).containsExactly(3, 2, 4, 6);
    for (int n = 0; n < 3; n++) {
      assertThat(y.slice(n).slice(0).ravel().toDoubleVector()).containsOnly(3);
      assertThat(y.slice(n).slice(1).ravel().toDoubleVector()).containsOnly(-4);
    }
  }

  /** Answers in half the size, as classifiers do. */
  private record Shrinking() implements UnetConfig {

    @Override
    public int inChannels() {
      return 2;
    }

    @Override
    public int outChannels() {
      return 3;
    }

    @Override
    public int sizeDivisor() {
      return 2;
    }

    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      return modules.layers().avgPool2(modules.conv2d("conv", x, 3, Convolution.same(1)));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "REFERENCE"})
  void mayAnswerInAnotherSize(LayersChoice layers) {
    Execution execution = new Execution(layers, Precision.FLOAT32, 2);
    try (Unet network = Unet.create(new Shrinking(), DataType.FLOAT, 1, execution)) {
      INDArray x = images(DataType.FLOAT, 5);
      INDArray t = timesteps(DataType.FLOAT, 5);
      network.parameters().get("conv.weight").assign(0);
      network.parameters().get("conv.bias").assign(Nd4j.createFromArray(1f, 2f, 3f));
      INDArray target = Nd4j.zeros(5, 3, 2, 3);
      Parameters gradient = network.parameters().zerosLike();

      assertThat(network.predict(x, t).shape()).containsExactly(5, 3, 2, 3);
      double loss = network.lossAndGradient(LossFunction.L2, x, t, target, gradient);

      assertThat(loss).isCloseTo((1 + 4 + 9) / 3.0, within(1e-6));
      // Of the mean over three channels of their squared biases.
      assertThat(gradient.get("conv.bias").toDoubleVector())
          .containsExactly(new double[] {2 / 3.0, 4 / 3.0, 2}, within(1e-5));
      assertThatThrownBy(() -> network.loss(LossFunction.L2, x, t, Nd4j.zeros(5, 3, 4, 6)))
          .hasMessageContaining("[5, 3, 4, 6] where the network's output has [5, 3, 2, 3]");
    }
  }

  /** With which ND4J's own convolutions by oneDNN have ended the process. */
  @Test
  void columnMajorArraysAreRefusedInOneSentence() {
    Nd4j.factory().setOrder('f');
    try {
      assertThatThrownBy(() -> Unet.create(CONFIG, DataType.FLOAT, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("column-major")
          .hasMessageContaining("-Dndarray.order=f");
    } finally {
      Nd4j.factory().setOrder('c');
    }
  }

  @Test
  void computesInItsOwnType() {
    Unet unet = Unet.create(CONFIG, DataType.FLOAT, 1);
    INDArray x = images(DataType.FLOAT, 2);
    INDArray t = Nd4j.createFromArray(3f, 70f);
    INDArray expected = unet.predict(x, t);
    assertThat(expected.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(unet.predict(x.castTo(DataType.DOUBLE), Nd4j.createFromArray(3L, 70L)))
        .isEqualTo(expected);
  }

  @Test
  void takesViewsAndLeavesItsInputsAlone() {
    Unet unet = Unet.create(CONFIG, DataType.DOUBLE, 1);
    INDArray x = images(DataType.DOUBLE, 2);
    INDArray t = timesteps(DataType.DOUBLE, 2);
    INDArray expected = unet.predict(x, t);

    INDArray channelsLast = x.permute(0, 2, 3, 1).dup('c').permute(0, 3, 1, 2);
    INDArray kept = channelsLast.dup('c');
    assertThat(unet.predict(channelsLast, t).equalsWithEps(expected, 1e-12)).isTrue();
    assertThat(channelsLast).isEqualTo(kept);
  }

  @Test
  void predictsEachImageAlone() {
    Unet unet = Unet.create(CONFIG, DataType.DOUBLE, 1);
    INDArray x = images(DataType.DOUBLE, 3);
    INDArray t = timesteps(DataType.DOUBLE, 3);
    INDArray together = unet.predict(x, t);
    for (int n = 0; n < 3; n++) {
      INDArray alone =
          unet.predict(x.slice(n).reshape(1, 2, 4, 6), Nd4j.createFromArray(t.getDouble(n)));
      assertThat(alone.slice(0).equalsWithEps(together.slice(n), 1e-12)).isTrue();
    }
  }

  /** The squared error's derivative by the output, 2(y - target), gives the squared error's. */
  @Test
  void theVectorJacobianProductIsTheChainRule() {
    try (Unet unet = Unet.create(CONFIG, DataType.DOUBLE, 1)) {
      INDArray x = images(DataType.DOUBLE, 3);
      INDArray t = timesteps(DataType.DOUBLE, 3);
      INDArray target = images(DataType.DOUBLE, 3).muli(0.5);
      Parameters expected = unet.parameters().zerosLike();
      unet.lossAndGradient(LossFunction.L2, x, t, target, expected);
      Parameters actual = unet.parameters().zerosLike();
      INDArray cotangent = unet.predict(x, t).subi(target).muli(2.0 / target.length());
      unet.vectorJacobianProduct(UnetInput.of(x, t), cotangent, actual);
      double scale = expected.flat().norm2Number().doubleValue();
      assertThat(actual.flat().sub(expected.flat()).norm2Number().doubleValue())
          .isLessThan(1e-12 * scale);
      assertThat(scale).isPositive();
      assertThatThrownBy(
              () ->
                  unet.vectorJacobianProduct(
                      UnetInput.of(x, t), Nd4j.zeros(DataType.DOUBLE, 3, 1, 2, 2), actual))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @EnumSource
  void givesTheLossWithAndWithoutTheGradient(LossFunction function) {
    Unet unet = Unet.create(CONFIG, DataType.DOUBLE, 1);
    INDArray x = images(DataType.DOUBLE, 2);
    INDArray t = timesteps(DataType.DOUBLE, 2);
    INDArray target = images(DataType.DOUBLE, 2);
    INDArray y = unet.predict(x, t);
    double expected =
        NaiveLayers.lossPerImage(y.permute(0, 2, 3, 1), target.permute(0, 2, 3, 1), function)
            .meanNumber()
            .doubleValue();
    assertThat(unet.loss(function, x, t, target)).isCloseTo(expected, within(1e-12));
    Parameters gradient = unet.parameters().zerosLike();
    assertThat(unet.lossAndGradient(function, x, t, target, gradient))
        .isCloseTo(expected, within(1e-12));

    // Along its own gradient the loss changes as the gradient says.
    double step = 1e-6 / gradient.flat().norm2Number().doubleValue();
    unet.parameters().flat().addi(gradient.flat().mul(step));
    double above = unet.loss(function, x, t, target);
    unet.parameters().flat().subi(gradient.flat().mul(2 * step));
    double below = unet.loss(function, x, t, target);
    double squaredNorm = Math.pow(gradient.flat().norm2Number().doubleValue(), 2);
    assertThat((above - below) / (2 * step) / squaredNorm).isCloseTo(1, within(1e-4));
  }

  @Test
  void letsSeveralThreadsPredictAndDifferentiate() throws Exception {
    int count = 12;
    Unet alone = Unet.create(CONFIG, DataType.FLOAT, 1);
    Unet shared = Unet.create(CONFIG, DataType.FLOAT, 1);
    List<Callable<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      INDArray x = images(DataType.FLOAT, 1 + i % 3);
      INDArray t = timesteps(DataType.FLOAT, 1 + i % 3);
      INDArray expected = alone.predict(x, t);
      Parameters gradient = alone.parameters().zerosLike();
      double loss = alone.lossAndGradient(LossFunction.L2, x, t, x, gradient);
      tasks.add(
          () -> {
            assertThat(shared.predict(x, t)).isEqualTo(expected);
            Parameters found = shared.parameters().zerosLike();
            assertThat(shared.lossAndGradient(LossFunction.L2, x, t, x, found)).isEqualTo(loss);
            assertThat(found.flat()).isEqualTo(gradient.flat());
            return null;
          });
    }
    int threads = 4;
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Void>> futures = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        int first = thread * count / threads;
        futures.add(
            executor.submit(
                () -> {
                  start.await();
                  for (int i = 0; i < 2 * count; i++) {
                    tasks.get((first + i) % count).call();
                  }
                  return null;
                }));
      }
      for (Future<Void> future : futures) {
        future.get();
      }
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  void refusesShapesThatDoNotFit() {
    Unet unet = Unet.create(CONFIG, DataType.FLOAT, 1);
    INDArray x = images(DataType.FLOAT, 2);
    INDArray t = timesteps(DataType.FLOAT, 2);
    refused(
        () -> unet.predict(Nd4j.zeros(DataType.FLOAT, 2, 3, 4, 4), t),
        "The images have the shape [2, 3, 4, 4] where this U-Net takes [N,2,H,W] with N at least 1.");
    refused(
        () -> unet.predict(Nd4j.zeros(DataType.FLOAT, 2, 4, 4), t),
        "The images have the shape [2, 4, 4] where this U-Net takes [N,2,H,W] with N at least 1.");
    refused(
        () -> unet.predict(Nd4j.zeros(DataType.FLOAT, 2, 2, 4, 5), t),
        "Images of 4x5 do not go through this U-Net, which halves them 1 time: height and width must be multiples of 2; resize or pad the images, or choose fewer levels.");
    refused(
        () -> unet.predict(x, Nd4j.zeros(DataType.FLOAT, 3)),
        "The timesteps have the shape [3] where 2 images would need [2].");
    refused(
        () -> unet.loss(LossFunction.L2, x, t, Nd4j.zeros(DataType.FLOAT, 2, 2, 4, 4)),
        "The target has the shape [2, 2, 4, 4] where the network's output has [2, 2, 4, 6].");
  }

  @Test
  void refusesOtherTypesAndOtherParameters() {
    refused(
        () -> Unet.create(CONFIG, DataType.BFLOAT16, 1),
        "A U-Net cannot compute in BFLOAT16; choose FLOAT or DOUBLE.");
    Parameters others = Unet.create(CONFIG.withAttention(1, 4), DataType.FLOAT, 1).parameters();
    assertThatThrownBy(() -> Unet.of(CONFIG, others))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("The parameters belong to another network than AnnotatedUnet[");
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("%s", message);
  }
}
