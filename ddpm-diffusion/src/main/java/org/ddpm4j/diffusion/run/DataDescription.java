package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.io.Text;

/**
 * What a model was trained on.
 *
 * @param name of the data set
 * @param source where its files came from, in words; may be null
 * @param fingerprint hash of the training images; resuming on others is refused
 * @param trainingImages number of training images, at least 1, or 0 where they are {@link #UNKNOWN}
 * @param validationImages number of held-out images, at least 0
 * @param selection which images of the data set these are
 */
public record DataDescription(
    String name,
    String source,
    String fingerprint,
    int trainingImages,
    int validationImages,
    Selection selection) {

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
     * @throws IllegalArgumentException if there is a number less than 1
     */
    public Selection {
      if ((maxImages != null && maxImages < 1) || (skippedFiles != null && skippedFiles < 1)) {
        throw new IllegalArgumentException(
            Text.format(
                "A selection of %s images with %s files left out is not possible; both numbers must be at least 1 where they are given.",
                maxImages, skippedFiles));
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
      Objects.requireNonNull(onlyClass, "onlyClass");
      Objects.requireNonNull(most, "most");
      return new Selection(
          onlyClass.orElse(null),
          most.isPresent() ? (Integer) most.getAsInt() : null,
          skipped == 0 ? null : (Integer) skipped);
    }
  }

  /**
   * Checks that nothing is missing and the numbers.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public DataDescription {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(selection, "selection");
    int least = fingerprint.equals(UNKNOWN) ? 0 : 1;
    if (trainingImages < least || validationImages < 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The data set %s cannot have %d training and %d validation image(s); it takes at least %d and 0.",
              name, trainingImages, validationImages, least));
    }
  }

  /**
   * Of images that a network was trained on elsewhere.
   *
   * @param name of the data set, or {@link #UNKNOWN}
   * @param source what is known of them, in words; may be null
   * @return the description, with the fingerprint {@link #UNKNOWN} and no counted images
   */
  public static DataDescription unseen(String name, String source) {
    return new DataDescription(name, source, UNKNOWN, 0, 0, Selection.ALL);
  }
}
