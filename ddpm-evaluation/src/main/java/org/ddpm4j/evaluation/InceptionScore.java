package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;

/**
 * The inception score (Salimans et al. 2016, section 4): {@code exp} of the mean divergence of each
 * image's class probabilities from their mean. High where images are clearly of a class and all
 * classes are there; it knows nothing of real images.
 *
 * @param value the mean over parts of the images, in [1,K]
 * @param standardDeviation of the parts' values
 */
public record InceptionScore(double value, double standardDeviation) {

  /** The parts that the paper takes. */
  public static final int PARTS = 10;

  /**
   * The score of features.
   *
   * @param features with probabilities, of at least as many images as parts
   * @param parts into how many neighbouring parts the images are cut, at least 1; the paper's are
   *     {@link #PARTS}
   * @return the score
   * @throws IllegalArgumentException if there are no probabilities, one is not finite, or there are
   *     fewer images than parts
   */
  public static InceptionScore of(Features features, int parts) {
    Objects.requireNonNull(features, "features");
    if (parts < 1 || features.count() < parts || features.classes() == 0) {
      throw new IllegalArgumentException(
          Text.format(
              "%d images with probabilities of %d classes have no inception score in %d part(s); take a classifier, and as many images as parts.",
              features.count(), features.classes(), parts));
    }
    features.requireFiniteProbabilities();
    double[] scores =
        IntStream.range(0, parts)
            .mapToDouble(
                part ->
                    ofPart(
                        Arrays.copyOfRange(
                            features.probabilities(),
                            (int) ((long) features.count() * part / parts),
                            (int) ((long) features.count() * (part + 1) / parts))))
            .toArray();
    double mean = Arrays.stream(scores).average().orElseThrow();
    double variance =
        Arrays.stream(scores).map(score -> (score - mean) * (score - mean)).average().orElseThrow();
    return new InceptionScore(mean, Math.sqrt(variance));
  }

  private static double ofPart(float[][] probabilities) {
    int classes = probabilities[0].length;
    double[] mean = new double[classes];
    for (float[] row : probabilities) {
      for (int k = 0; k < classes; k++) {
        mean[k] += row[k] / (double) probabilities.length;
      }
    }
    double divergence = 0;
    for (float[] row : probabilities) {
      for (int k = 0; k < classes; k++) {
        if (row[k] > 0) {
          divergence += row[k] * Math.log(row[k] / mean[k]);
        }
      }
    }
    return Math.exp(divergence / probabilities.length);
  }
}
