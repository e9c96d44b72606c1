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
