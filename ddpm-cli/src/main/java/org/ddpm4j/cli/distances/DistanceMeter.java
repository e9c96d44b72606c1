package org.ddpm4j.cli.distances;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.evaluation.FeatureExtractor;
import org.ddpm4j.evaluation.Features;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.evaluation.ReferenceFeatures;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Measures distances from a data set, whose features are made once and kept in the user's cache.
 * Closes the extractor.
 */
public final class DistanceMeter implements AutoCloseable {

  /** Enough of a fingerprint for a file's name; the file has all of it. */
  private static final int NAMING_DIGITS = 16;

  private final Console console;
  private final FeatureExtractor extractor;
  private final ReferenceFeatures reference;

  private DistanceMeter(Console console, FeatureExtractor extractor, ReferenceFeatures reference) {
    this.console = console;
    this.extractor = extractor;
    this.reference = reference;
  }

  /**
   * Makes the features of the real images, or finds them in the cache.
   *
   * @param console that shows progress
   * @param extractor whose features are compared
   * @param real all images that others are compared with
   * @param cache folder where features are kept, made if missing
   * @return the meter
   * @throws IOException if features cannot be kept
   */
  public static DistanceMeter open(
      Console console, FeatureExtractor extractor, ImageDataSet real, Path cache)
      throws IOException {
    if (real.size() < DistanceReport.FEWEST_REAL_IMAGES) {
      throw new BadInputException(
          "%d real image(s) will not do for a comparison (%s); name a data set of at least %d, or, better, thousands.",
          real.size(), real.source(), DistanceReport.FEWEST_REAL_IMAGES);
    }
    Path file =
        cache.resolve(
            Text.format(
                "%s-%s.safetensors",
                extractor.name(), real.fingerprint().substring(0, NAMING_DIGITS)));
    if (Files.exists(file)) {
      try {
        ReferenceFeatures kept = ReferenceFeatures.read(file);
        if (kept.fingerprint().equals(real.fingerprint())
            && kept.extractor().equals(extractor.name())) {
          // Where the images come from today, not when the features were made.
          return new DistanceMeter(console, extractor, kept.withSource(real.source()));
        }
      } catch (IOException e) {
        console.note("distances: " + e.getMessage() + " It is made anew.");
      }
    }
    ReferenceFeatures made = features(console, extractor, real);
    try {
      Folders.create(cache);
      made.write(file);
    } catch (IOException e) {
      console.note("distances: The features are not kept: " + e.getMessage());
    }
    return new DistanceMeter(console, extractor, made);
  }

  private static ReferenceFeatures features(
      Console console, FeatureExtractor extractor, ImageDataSet real) {
    ReferenceFeatures.Builder builder =
        new ReferenceFeatures.Builder(extractor, real.classNames(), real.size());
    int batch = FeatureExtractor.BATCH_SIZE;
    try (Progress progress =
        new Progress(console, "features of the data set", "images", 0, real.size())) {
      for (int first = 0; first < real.size(); first += batch) {
        int[] rows = IntStream.range(first, Math.min(first + batch, real.size())).toArray();
        builder.add(
            Pixels.of(real.batch(rows).getFeatures(), real.normalization()),
            IntStream.of(rows).map(real::label).toArray());
        progress.update(rows[rows.length - 1] + 1L, "");
      }
    }
    return builder.build(real.source(), real.fingerprint());
  }

  /**
   * The real images that others are compared with.
   *
   * @return their features
   */
  public ReferenceFeatures reference() {
    return reference;
  }

  /**
   * Compares images with the real ones.
   *
   * @param images {@code [N,C,H,W]}
   * @param normalization the scale of their values
   * @param labels the class of each, in the order of the reference's; null where that is not known,
   *     and then the network's guess counts if it knows the classes
   * @return all figures
   * @throws IllegalArgumentException if there are too few images
   */
  public DistanceReport measure(INDArray images, Normalization normalization, int[] labels) {
    Features found;
    try (Progress progress = new Progress(console, "features", "images", 0, images.size(0))) {
      found =
          extractor.extractAll(Pixels.of(images, normalization), done -> progress.update(done, ""));
    }
    int[] known = labels;
    if (known == null && extractor.classNames().equals(reference.classNames())) {
      known = IntStream.range(0, found.count()).map(found::likeliestClass).toArray();
    }
    return DistanceReport.of(reference, found, known);
  }

  /**
   * Compares drawn images with the real ones.
   *
   * @param model that drew them
   * @param pipeline that drew them
   * @param samples {@code [N,C,H,W]}, the first of the pipeline
   * @return all figures; of each class by what was asked of the model, if it knows the same classes
   * @throws IllegalArgumentException if there are too few images
   */
  public DistanceReport measure(
      DiffusionModel model, DiffusionPipeline pipeline, INDArray samples) {
    int count = (int) samples.size(0);
    return measure(
        samples,
        model.normalization(),
        knowsClasses(model) ? IntStream.range(0, count).map(pipeline.classOf()).toArray() : null);
  }

  /**
   * Whether a model was told the classes of the real images.
   *
   * @param model that draws
   * @return true if it is asked for them by name
   */
  public boolean knowsClasses(DiffusionModel model) {
    return model.isClassConditional() && model.classNames().equals(reference.classNames());
  }

  @Override
  public void close() {
    extractor.close();
  }
}
