package org.ddpm4j.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.ddpm4j.io.Text;

/**
 * All figures of some images, compared with real ones.
 *
 * @param extractor the network whose features were compared
 * @param reference the real images
 * @param referenceImages how many
 * @param images how many were compared with them
 * @param frechet see {@link FrechetDistance}
 * @param kernel see {@link KernelDistance}
 * @param precisionRecall see {@link PrecisionRecall}, of as many real images
 * @param densityCoverage see {@link DensityCoverage}, of as many real images
 * @param inceptionScore see {@link InceptionScore}; empty if the network is no classifier
 * @param classes of each class that at least two of the images are of
 */
public record DistanceReport(
    String extractor,
    String reference,
    long referenceImages,
    int images,
    double frechet,
    KernelDistance kernel,
    PrecisionRecall precisionRecall,
    DensityCoverage densityCoverage,
    Optional<InceptionScore> inceptionScore,
    List<OfClass> classes) {

  /** Fewer have no kernel distance and no neighbours. */
  public static final int FEWEST_IMAGES = 10;

  /** Among fewer real images nobody has as many neighbours as are counted. */
  public static final int FEWEST_REAL_IMAGES = DensityCoverage.NEIGHBOURS + 1;

  /** Of the images that distances between neighbours are of: those of both sides are all pairs. */
  private static final int MOST_NEIGHBOURS = 10_000;

  /** Of an inception score. */
  private static final int FEWEST_OF_PART = 100;

  /** Of choices among the real images and of the kernel distance's subsets. */
  private static final long SEED = 0;

  /**
   * A class.
   *
   * @param name of the class
   * @param images how many are of it
   * @param frechet the Fréchet distance from the real images of the class; it grows when there are
   *     fewer images, so that it is compared with that of as many real ones
   */
  public record OfClass(String name, int images, double frechet) {}

  /** Checks that nothing is missing. */
  public DistanceReport {
    Objects.requireNonNull(classes, "classes");
    classes = List.copyOf(classes);
  }

  /**
   * Compares images with real ones.
   *
   * @param reference the real images
   * @param found the features of at least {@link #FEWEST_IMAGES} images, by the same network
   * @param labels the class of each image, in the reference's order; null if they are not known,
   *     and then there are no figures of classes
   * @return the figures
   * @throws IllegalArgumentException if there are too few images, or the features are of another
   *     length
   */
  public static DistanceReport of(ReferenceFeatures reference, Features found, int[] labels) {
    Objects.requireNonNull(reference, "reference");
    Objects.requireNonNull(found, "found");
    if (found.count() < FEWEST_IMAGES) {
      throw new IllegalArgumentException(
          Text.format(
              "Distances of %d image(s) tell nothing; take %d or, better, thousands.",
              found.count(), FEWEST_IMAGES));
    }
    if (reference.some().count() < FEWEST_REAL_IMAGES) {
      throw new IllegalArgumentException(
          Text.format(
              "%d real image(s) will not do for a comparison (%s); take %d or, better, thousands.",
              reference.some().count(), reference.source(), FEWEST_REAL_IMAGES));
    }
    if (labels != null && labels.length != 0 && labels.length != found.count()) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d images and the classes of %d; give the class of each, or null.",
              found.count(), labels.length));
    }
    FeatureStatistics statistics = FeatureStatistics.of(found);
    Features real = someOf(reference.some(), Math.min(found.count(), MOST_NEIGHBOURS));
    Features generated = someOf(found, Math.min(found.count(), MOST_NEIGHBOURS));
    return new DistanceReport(
        reference.extractor(),
        reference.source(),
        reference.statistics().count(),
        found.count(),
        FrechetDistance.between(reference.statistics(), statistics),
        KernelDistance.between(reference.some(), found, SEED),
        PrecisionRecall.of(real, generated, PrecisionRecall.NEIGHBOURS),
        DensityCoverage.of(real, generated, DensityCoverage.NEIGHBOURS),
        found.classes() == 0
            ? Optional.empty()
            : Optional.of(InceptionScore.of(inAnyOrder(found), parts(found.count()))),
        labels == null ? List.of() : classes(reference, found, labels));
  }

  /** The paper's parts are of thousands of images; the score of a few is too low. */
  private static int parts(int images) {
    return Math.max(1, Math.min(InceptionScore.PARTS, images / FEWEST_OF_PART));
  }

  /** Images may be sorted by class, which the parts of an inception score must not be. */
  private static Features inAnyOrder(Features features) {
    return features.select(drawn(features.count(), features.count()));
  }

  private static Features someOf(Features features, int count) {
    return count >= features.count() ? features : features.select(drawn(features.count(), count));
  }

  private static int[] drawn(int size, int count) {
    return RandomChoice.of(new SplittableRandom(SEED), size, count);
  }

  private static List<OfClass> classes(ReferenceFeatures reference, Features found, int[] labels) {
    List<OfClass> classes = new ArrayList<>();
    for (int k = 0; k < reference.classNames().size(); k++) {
      int[] rows = ReferenceFeatures.rowsOf(labels, k);
      Optional<FeatureStatistics> real = reference.ofClass(k);
      if (rows.length > 1 && real.isPresent()) {
        FeatureStatistics statistics = FeatureStatistics.of(found.select(rows));
        classes.add(
            new OfClass(
                reference.classNames().get(k),
                rows.length,
                FrechetDistance.between(real.get(), statistics)));
      }
    }
    return classes;
  }
}
