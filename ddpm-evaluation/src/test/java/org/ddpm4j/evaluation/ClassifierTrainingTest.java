package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class ClassifierTrainingTest {

  @TempDir Path folder;

  /** Pixels of 0 to 255: a bright square above, in the middle, or below. */
  private static INDArray pixels(long seed, int[] classes, int size) {
    Random random = new Random(seed);
    float[] values = new float[classes.length * size * size];
    for (int i = 0; i < values.length; i++) {
      int row = i / size % size;
      boolean bright = row * 3 / size == classes[i / (size * size)];
      values[i] = random.nextInt(100) + (bright ? 100 : 0);
    }
    return Nd4j.create(values, new long[] {classes.length, 1, size, size}, 'c');
  }

  private static INDArray oneHot(int... classes) {
    INDArray labels = Nd4j.zeros(DataType.FLOAT, classes.length, 3);
    for (int n = 0; n < classes.length; n++) {
      labels.putScalar(n, classes[n], 1);
    }
    return labels;
  }

  private static int[] classes(long seed, int count) {
    return new Random(seed).ints(count, 0, 3).toArray();
  }

  @Test
  void gradientIsTheDerivativeOfTheCrossEntropy() {
    int[] classes = {0, 2, 1};
    INDArray images = pixels(1, classes, 28);
    INDArray labels = oneHot(classes);
    ClassifierTraining training = ClassifierTraining.defaults(1);
    try (Unet network = Unet.create(new FeatureClassifier(3, 1, 28), DataType.DOUBLE, 5)) {
      Parameters gradient = network.parameters().zerosLike();
      Parameters ignored = network.parameters().zerosLike();
      training.lossAndGradient(network, images, labels, gradient);

      for (String name :
          new String[] {"conv1.weight", "norm3.weight", "pool.bias", "head.weight"}) {
        INDArray weight = network.parameters().get(name);
        double kept = weight.getDouble(3);
        double step = 1e-4;
        network.parameters().get(name).reshape(-1).putScalar(3, kept + step);
        double above = training.lossAndGradient(network, images, labels, ignored);
        network.parameters().get(name).reshape(-1).putScalar(3, kept - step);
        double below = training.lossAndGradient(network, images, labels, ignored);
        network.parameters().get(name).reshape(-1).putScalar(3, kept);

        double expected = (above - below) / (2 * step);
        assertThat(gradient.get(name).reshape(-1).getDouble(3))
            .as(name)
            .isCloseTo(expected, within(1e-6 + 1e-4 * Math.abs(expected)));
        assertThat(expected).as(name).isNotZero();
      }
    }
  }

  @Test
  void learnsAndIsReadAgain() throws Exception {
    ClassifierTraining training = ClassifierTraining.defaults(25);
    Path file = folder.resolve("classifier.safetensors");
    int[] others = classes(99, 60);
    INDArray unseen = pixels(98, others, 28);

    try (ClassifierFeatures classifier =
        training.train(
            "squares",
            List.of("above", "middle", "below"),
            new ImageShape(1, 28, 28),
            step -> {
              int[] classes = classes(step, 16);
              INDArray scaled = pixels(step, classes, 28).div(127.5).sub(1);
              return new DataSet(scaled, oneHot(classes));
            },
            Normalization.SYMMETRIC,
            Execution.automatic(),
            (step, loss) -> assertThat(loss).isFinite())) {
      Features found = classifier.extract(unseen);
      for (int n = 0; n < others.length; n++) {
        assertThat(found.likeliestClass(n)).isEqualTo(others[n]);
      }
      // The same squares in images of another size.
      Features resized = classifier.extract(pixels(97, others, 42));
      for (int n = 0; n < others.length; n++) {
        assertThat(resized.likeliestClass(n)).isEqualTo(others[n]);
      }
      classifier.write(file, Map.of("trained_on", "squares"));
      try (ClassifierFeatures again = ClassifierFeatures.read(file, Execution.reference())) {
        assertThat(again.name()).isEqualTo("squares");
        assertThat(again.classNames()).containsExactly("above", "middle", "below");
        Features same = again.extract(unseen);
        for (int n = 0; n < others.length; n++) {
          assertThat(same.values()[n]).containsExactly(found.values()[n], within(1e-3f));
          assertThat(same.probabilities()[n])
              .containsExactly(found.probabilities()[n], within(1e-3f));
        }
      }
    }
  }

  /** After the first of all steps the average has a tenth of the weights before it. */
  @Test
  void theMovingAverageIsKept() throws Exception {
    Map<String, INDArray> latest = afterOneStep(0);
    Map<String, INDArray> averaged = afterOneStep(0.9);
    Map<String, INDArray> begin;
    try (Unet network = Unet.create(new FeatureClassifier(3, 1, 4), DataType.FLOAT, 7)) {
      begin = network.parameters().toPyTorch();
      for (String name : begin.keySet()) {
        INDArray expected = begin.get(name).mul(0.1).add(latest.get(name).mul(0.9));
        assertThat(averaged.get(name).ravel().toFloatVector())
            .as(name)
            .containsExactly(expected.ravel().toFloatVector(), within(1e-6f));
      }
      assertThat(latest.get("head.weight").distance2(begin.get("head.weight"))).isGreaterThan(0.1);
    }
  }

  private Map<String, INDArray> afterOneStep(double emaDecay) throws Exception {
    Path file = folder.resolve("one-step.safetensors");
    int[] steps = {0};
    try (ClassifierFeatures classifier =
        new ClassifierTraining(1, new AdamWConfig(0.01, 0.9, 0.99, 1e-8, 0), emaDecay, 0, 7)
            .train(
                "squares",
                List.of("above", "middle", "below"),
                new ImageShape(1, 4, 4),
                step ->
                    new DataSet(
                        pixels(1, new int[] {0, 1, 2}, 4).div(127.5).sub(1), oneHot(0, 1, 2)),
                Normalization.SYMMETRIC,
                Execution.reference(),
                (step, loss) -> steps[0]++)) {
      classifier.write(file, Map.of());
    }
    assertThat(steps).containsExactly(1);
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      return reader.tensors();
    }
  }

  @Test
  void refusesImagesThatAreNotSquare() {
    assertThatThrownBy(
            () ->
                ClassifierTraining.defaults(1)
                    .train(
                        "x",
                        List.of("a", "b"),
                        new ImageShape(1, 28, 20),
                        step -> null,
                        Normalization.SYMMETRIC,
                        Execution.reference(),
                        (step, loss) -> {}))
        .hasMessageContaining("takes images of 28x28, not of 28x20");
  }

  @Test
  void refusesOtherFiles() throws Exception {
    Path file = folder.resolve("other.safetensors");
    Files.write(file, new byte[] {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'});

    assertThatThrownBy(() -> ClassifierFeatures.read(file, Execution.automatic()))
        .hasMessageContaining("expected a classifier that ddpm4j has written");
    assertThatThrownBy(() -> new ClassifierTraining(0, null, 0.9, 0, 1))
        .hasMessageContaining("at least 1 step");
  }
}
