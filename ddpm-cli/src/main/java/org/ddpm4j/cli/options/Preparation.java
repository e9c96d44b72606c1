package org.ddpm4j.cli.options;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.data.ColorMode;
import org.ddpm4j.data.CorruptFiles;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFileOptions;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;

/**
 * Which images of a data set are used, and what is done to them.
 *
 * @param size height and width, or the data set's own
 * @param colors grey or colour, or the data set's own
 * @param onlyClass name or number of the only class, if there is one
 * @param maxImages the most images, if there is a limit
 * @param corrupt what becomes of files that cannot be read
 * @param normalization how a model sees pixels, or as is usual for the data set
 */
record Preparation(
    Optional<Size> size,
    Optional<ColorMode> colors,
    Optional<String> onlyClass,
    OptionalInt maxImages,
    CorruptFiles corrupt,
    Optional<Normalization> normalization) {

  /** As a run was begun with. */
  static Preparation of(RunConfig run) {
    DataDescription.Selection selection = run.data().selection();
    ImageShape shape = run.model().shape();
    return new Preparation(
        Optional.of(new Size(shape.height(), shape.width())),
        Optional.of(shape.channels() == 1 ? ColorMode.GRAYSCALE : ColorMode.RGB),
        Optional.ofNullable(selection.className()),
        selection.maxImages() == null ? OptionalInt.empty() : OptionalInt.of(selection.maxImages()),
        selection.skippedFiles() == null ? CorruptFiles.REFUSE : CorruptFiles.SKIP,
        Optional.of(run.model().normalization()));
  }

  /** The same with another limit. */
  Preparation withMaxImages(OptionalInt most) {
    return new Preparation(size, colors, onlyClass, most, corrupt, normalization);
  }

  /** For data sets of image files, which are in colour if nobody says otherwise. */
  ImageFileOptions fileOptions(Size usualSize) {
    Size chosen = size.orElse(usualSize);
    return BadInputException.check(
        () ->
            new ImageFileOptions(
                chosen.height(),
                chosen.width(),
                colors.orElse(ColorMode.RGB),
                corrupt,
                onlyClass,
                maxImages));
  }

  /** For data sets that are in memory as a whole. */
  ImageDataSet apply(ImageDataSet all) throws IOException {
    ImageDataSet images = all;
    if (onlyClass.isPresent()) {
      images = BadInputException.check(() -> all.onlyClass(onlyClass.get()));
    }
    if (maxImages.isPresent() && maxImages.getAsInt() < images.size()) {
      images = images.takeSpread(maxImages.getAsInt());
    }
    if (colors.isPresent() && colors.get() == ColorMode.GRAYSCALE) {
      images = images.grayscale();
    }
    return size.isEmpty() ? images : images.resized(size.get().height(), size.get().width());
  }

  /** The images as the model is to see them. */
  ImageDataSet normalize(ImageDataSet images) {
    return normalization
        .map(chosen -> BadInputException.check(() -> images.withNormalization(chosen)))
        .orElse(images);
  }
}
