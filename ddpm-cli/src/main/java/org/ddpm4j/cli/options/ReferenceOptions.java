package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.data.ColorMode;
import org.ddpm4j.data.CorruptFiles;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which real images others are compared with. */
@OptionGroup("The images")
public final class ReferenceOptions {

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      description =
          "The real images, ${COMPLETION-CANDIDATES} (default: those that the run was trained on, "
              + Defaults.DATA_SET
              + " where that is not known).")
  private KnownDataSet dataSet;

  @Mixin private DataPlaces places;

  @Mixin private FeatureCacheOptions cache;

  /** Nothing chosen yet; picocli sets the fields. */
  public ReferenceOptions() {}

  /**
   * Where features of data sets are kept.
   *
   * @return a folder, which need not exist
   */
  public Path cache() {
    return cache.folder();
  }

  /**
   * All training images of the data set, prepared as the run's were; where the run held some of
   * them out since there are no others to measure on, those that it was trained on.
   *
   * @param run that is measured, if it is one
   * @param shape of the images to compare; empty for the data set's own
   * @return the images
   * @throws IOException if they cannot be read
   */
  public ImageDataSet training(Optional<RunConfig> run, Optional<ImageShape> shape)
      throws IOException {
    if (isCutBy(run)) {
      return DataOptions.parts(run.orElseThrow(), places.sources()).training();
    }
    return DataOptions.read(
            name(run), Split.TRAIN, places.sources(), preparation(run, shape), false)
        .images();
  }

  /**
   * Some of the data set's test images, or of those that the run held out of it, evenly spread.
   *
   * @param run that is measured, if it is one
   * @param shape of the images to compare; empty for the data set's own
   * @param count the most images
   * @return the images, if there are any
   * @throws IOException if they cannot be read
   */
  public Optional<ImageDataSet> heldOut(
      Optional<RunConfig> run, Optional<ImageShape> shape, int count) throws IOException {
    KnownDataSet name = name(run);
    boolean isCut = isCutBy(run);
    if (!isCut && !name.hasTestImages(places.sources())) {
      return Optional.empty();
    }
    ImageDataSet all =
        isCut
            ? DataOptions.parts(run.orElseThrow(), places.sources()).heldOut()
            : DataOptions.read(name, Split.TEST, places.sources(), preparation(run, shape), false)
                .images();
    return Optional.of(all.takeSpread(Math.min(count, all.size())));
  }

  /**
   * The image files of any folder.
   *
   * @param folder with the files
   * @param shape that they are brought to
   * @return the images
   * @throws IOException if they cannot be read
   */
  public static ImageDataSet folder(Path folder, ImageShape shape) throws IOException {
    return DataOptions.read(
            KnownDataSet.FOLDER,
            Split.TRAIN,
            DataSources.ofHost().withDataFolder(folder),
            preparation(Optional.empty(), Optional.of(shape)),
            false)
        .images();
  }

  /** Whether what the run has not seen is a part of the images that there are to train on. */
  private boolean isCutBy(Optional<RunConfig> run) throws IOException {
    boolean isItsOwn =
        run.isPresent() && EnumConverter.spelling(name(run)).equals(run.get().data().name());
    if (isItsOwn) {
      DataOptions.requirePlace(run.get(), places.sources());
    }
    return isItsOwn
        && run.get().data().validationImages() > 0
        && !name(run).hasTestImages(places.sources());
  }

  private KnownDataSet name(Optional<RunConfig> run) throws IOException {
    if (dataSet != null) {
      return dataSet;
    }
    String known = run.map(config -> config.data().name()).orElse(DataDescription.UNKNOWN);
    return KnownDataSet.named(known.equals(DataDescription.UNKNOWN) ? Defaults.DATA_SET : known);
  }

  private static Preparation preparation(Optional<RunConfig> run, Optional<ImageShape> shape) {
    return run.map(config -> Preparation.of(config).withMaxImages(OptionalInt.empty()))
        .orElseGet(
            () ->
                new Preparation(
                    shape.map(known -> new Size(known.height(), known.width())),
                    shape.map(known -> known.channels() == 1 ? ColorMode.GRAYSCALE : ColorMode.RGB),
                    Optional.empty(),
                    OptionalInt.empty(),
                    CorruptFiles.REFUSE,
                    Optional.empty()));
  }
}
