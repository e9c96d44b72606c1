package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;

/**
 * What a run was trained on.
 *
 * @param name of the data set
 * @param source where its files came from, in words; may be null
 * @param fingerprint hash of the training images; resuming on others is refused
 * @param trainingImages number of training images, at least 1, or 0 where they are {@link #UNKNOWN}
 * @param validationImages number of held-out images, at least 0
 * @param shape of one image
 * @param normalization how pixels became the values that the model sees; {@link
 *     Normalization#SYMMETRIC} where null
 * @param selection which images of the data set these are; {@link Selection#ALL} where null
 * @param classNames the name of each class, by which images are labelled; none where null
 */
public record DataDescription(
    @JsonProperty(value = "name", required = true) String name,
    @JsonProperty("source") String source,
    @JsonProperty(value = "fingerprint", required = true) String fingerprint,
    @JsonProperty("training_images") int trainingImages,
    @JsonProperty("validation_images") int validationImages,
    @JsonProperty(value = "shape", required = true) ImageShape shape,
    @JsonProperty("normalization") Normalization normalization,
    @JsonProperty("selection") Selection selection,
    @JsonProperty("class_names") List<String> classNames) {

  /** The fingerprint, and the name, of images that nobody here has seen. */
  public static final String UNKNOWN = "unknown";

  /**
   * Which images of a data set are used.
   *
   * @param className the only class, or null for all
   * @param maxImages the most images, or null for no limit
   * @param skippedFiles files that could not be read and were left out, or null for none
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Selection(
      @JsonProperty("class") String className,
      @JsonProperty("max_images") Integer maxImages,
      @JsonProperty("skipped_files") Integer skippedFiles) {

    /** Every image. */
    public static final Selection ALL = new Selection(null, null, null);

    /**
     * Checks the numbers.
     *
     * @param className the only class, or null
     * @param maxImages the most images, or null
     * @param skippedFiles files that were left out, or null
     * @throws IllegalArgumentException if there is a number less than 1
     */
    public Selection {
      if ((maxImages != null && maxImages < 1) || (skippedFiles != null && skippedFiles < 1)) {
        throw new IllegalArgumentException(
            "A selection of %s images with %s files left out is not possible; both numbers must be at least 1 where they are given."
                .formatted(maxImages, skippedFiles));
      }
    }

    /**
     * Of values that may be missing.
     *
     * @param onlyClass the only class
     * @param most the most images
     * @param skipped files that were left out, 0 for none
     * @return the selection
     * @throws IllegalArgumentException if a number is out of range
     */
    public static Selection of(Optional<String> onlyClass, OptionalInt most, int skipped) {
      return new Selection(
          onlyClass.orElse(null),
          most.isPresent() ? (Integer) most.getAsInt() : null,
          skipped == 0 ? null : (Integer) skipped);
    }
  }

  /**
   * Checks that nothing is missing and the numbers.
   *
   * @param name of the data set
   * @param source where its files came from
   * @param fingerprint hash of the training images
   * @param trainingImages number of training images
   * @param validationImages number of held-out images
   * @param shape of one image
   * @param normalization how pixels became values, or null
   * @param selection which images of the data set these are, or null
   * @param classNames the name of each class, or null; copied
   * @throws IllegalArgumentException if one is out of range
   */
  public DataDescription {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(shape, "shape");
    // Runs that were begun before there was a choice do not say them.
    normalization = Objects.requireNonNullElse(normalization, Normalization.SYMMETRIC);
    selection = Objects.requireNonNullElse(selection, Selection.ALL);
    classNames = List.copyOf(Objects.requireNonNullElse(classNames, List.of()));
    normalization.requireChannels(shape.channels());
    int least = fingerprint.equals(UNKNOWN) ? 0 : 1;
    if (trainingImages < least || validationImages < 0) {
      throw new IllegalArgumentException(
          "The data set %s cannot have %d training and %d validation images; it takes at least %d and 0."
              .formatted(name, trainingImages, validationImages, least));
    }
  }

  /**
   * Of all images of a data set, in [-1,1].
   *
   * @param name of the data set
   * @param source where its files came from; may be null
   * @param fingerprint hash of the training images
   * @param trainingImages number of training images
   * @param validationImages number of held-out images
   * @param shape of one image
   * @throws IllegalArgumentException if a number is out of range
   */
  public DataDescription(
      String name,
      String source,
      String fingerprint,
      int trainingImages,
      int validationImages,
      ImageShape shape) {
    this(
        name,
        source,
        fingerprint,
        trainingImages,
        validationImages,
        shape,
        Normalization.SYMMETRIC,
        Selection.ALL,
        List.of());
  }

  /**
   * Of images that a network was trained on elsewhere, in [-1,1].
   *
   * @param name of the data set, or {@link #UNKNOWN}
   * @param source what is known of them, in words
   * @param shape of one image
   * @param classNames the name of each class; empty if there are none
   * @return the description, with the fingerprint {@link #UNKNOWN} and no counted images
   */
  public static DataDescription unseen(
      String name, String source, ImageShape shape, List<String> classNames) {
    return new DataDescription(
        name, source, UNKNOWN, 0, 0, shape, Normalization.SYMMETRIC, Selection.ALL, classNames);
  }
}
