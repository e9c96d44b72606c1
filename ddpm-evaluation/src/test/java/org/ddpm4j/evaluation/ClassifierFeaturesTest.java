package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;
import org.ddpm4j.unet.Execution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The classifier that comes along, on the test images that come along. */
class ClassifierFeaturesTest {

  private static final int TESTED = 500;

  @TempDir Path nothing;

  private ImageDataSet clothes(Split split, int count) throws Exception {
    DataSources bundled =
        new DataSources(
            Optional.empty(),
            nothing,
            nothing,
            Network.FORBIDDEN,
            Optional.empty(),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));
    return FashionMnist.load(split, bundled).takeSpread(count);
  }

  private static INDArray pixels(ImageDataSet images) {
    int[] all = IntStream.range(0, images.size()).toArray();
    return Pixels.of(images.batch(all).getFeatures(), images.normalization());
  }

  /** It knew 91.76 % of all 10,000; of 500, two standard deviations are 2.5 %. */
  @Test
  void knowsClothes() throws Exception {
    ImageDataSet tests = clothes(Split.TEST, TESTED);
    try (ClassifierFeatures classifier = ClassifierFeatures.bundled(Execution.automatic())) {
      Features found = classifier.extractAll(pixels(tests), done -> {});

      assertThat(classifier.classNames()).isEqualTo(tests.classNames());
      assertThat(found.count()).isEqualTo(TESTED);
      assertThat(found.dimensions()).isEqualTo(classifier.dimensions()).isEqualTo(64);
      long right =
          IntStream.range(0, TESTED).filter(i -> found.likeliestClass(i) == tests.label(i)).count();
      assertThat(right / (double) TESTED).isGreaterThan(0.89);
    }
  }

  /** The two discs have one luma, so that the classifier of grey images sees no difference. */
  @Test
  void coloursAreSeenWhereImagesHaveSome() throws Exception {
    INDArray discs = Nd4j.ones(DataType.FLOAT, 2, 3, 32, 32).muli(255);
    double[][] colours = {{200, 60, 20}, {60, 115.775, 100}};
    for (int y = 0; y < 32; y++) {
      for (int x = 0; x < 32; x++) {
        for (int c = 0; c < 3 && Math.hypot(x - 15.5, y - 15.5) < 12; c++) {
          discs.putScalar(new int[] {0, c, y, x}, colours[0][c]);
          discs.putScalar(new int[] {1, c, y, x}, colours[1][c]);
        }
      }
    }
    try (ClassifierFeatures emoji = ClassifierFeatures.bundled(3, Execution.automatic());
        ClassifierFeatures clothes = ClassifierFeatures.bundled(1, Execution.automatic())) {
      assertThat(emoji.classNames())
          .containsExactly(
              "activities",
              "animals-and-nature",
              "flags",
              "food-and-drink",
              "objects",
              "people-and-body",
              "smileys-and-emotion",
              "symbols",
              "travel-and-places");
      assertThat(clothes.classNames()).contains("Sneaker");
      assertThat(distance(clothes.extract(discs))).isLessThan(0.05);
      assertThat(distance(emoji.extract(discs))).isGreaterThan(0.5);
      // Grey images are grey colours.
      INDArray grey = Nd4j.ones(DataType.FLOAT, 1, 1, 32, 32).muli(99);
      assertThat(emoji.extract(grey).values()[0])
          .containsExactly(
              emoji.extract(Nd4j.ones(DataType.FLOAT, 1, 3, 32, 32).muli(99)).values()[0],
              within(1e-4f));
    }
  }

  private static double distance(Features two) {
    double squares = 0;
    for (int j = 0; j < two.dimensions(); j++) {
      double difference = two.values()[0][j] - two.values()[1][j];
      squares += difference * difference;
    }
    return Math.sqrt(squares);
  }

  /** ND4J takes the last images of such a part for none. */
  @Test
  void theLastImagesOfAPartAreSeen() throws Exception {
    INDArray part = pixels(clothes(Split.TEST, 300)).get(NDArrayIndex.interval(100, 300));
    try (ClassifierFeatures classifier = ClassifierFeatures.bundled(Execution.automatic())) {
      Features found = classifier.extractAll(part, done -> {});
      assertThat(found.values())
          .isDeepEqualTo(classifier.extractAll(part.dup(), done -> {}).values())
          .hasDimensions(200, classifier.extract(part.dup()).values()[0].length);
    }
  }

  @Test
  void realClothesAreNearerThanNoise() throws Exception {
    ImageDataSet training = clothes(Split.TRAIN, 600);
    ImageDataSet tests = clothes(Split.TEST, 300);
    try (ClassifierFeatures classifier = ClassifierFeatures.bundled(Execution.automatic())) {
      ReferenceFeatures.Builder builder =
          new ReferenceFeatures.Builder(classifier, training.classNames(), training.size());
      builder.add(pixels(training), IntStream.range(0, 600).map(training::label).toArray());
      ReferenceFeatures reference = builder.build(training.source(), training.fingerprint());
      int[] labels = IntStream.range(0, 300).map(tests::label).toArray();
      Features found = classifier.extractAll(pixels(tests), done -> {});
      Features noise =
          classifier.extractAll(
              Pixels.of(
                  Nd4j.createFromArray(
                          new SplittableRandom(2).doubles(60 * 28 * 28, -1, 1).toArray())
                      .reshape(60, 1, 28, 28)
                      .castTo(DataType.FLOAT),
                  tests.normalization()),
              done -> {});

      DistanceReport real = DistanceReport.of(reference, found, labels);
      DistanceReport random = DistanceReport.of(reference, noise, null);

      assertThat(real.frechet()).isBetween(0.0, random.frechet() / 20);
      assertThat(real.kernel().value()).isLessThan(random.kernel().value() / 20);
      assertThat(real.precisionRecall().precision()).isGreaterThan(0.7);
      assertThat(real.precisionRecall().recall()).isGreaterThan(0.7);
      // All noise looks alike: near to an odd real image, perhaps, but without variety.
      assertThat(random.precisionRecall().recall()).isLessThan(0.1);
      assertThat(random.densityCoverage().coverage()).isLessThan(0.3);
      assertThat(real.densityCoverage().coverage()).isGreaterThan(0.7);
      assertThat(real.inceptionScore().orElseThrow().value()).isGreaterThan(5);
      assertThat(real.classes()).hasSize(10);
      assertThat(random.classes()).isEmpty();
    }
  }
}
