package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;
import org.ddpm4j.diffusion.ImageShape;

/**
 * What a run was trained on.
 *
 * @param name of the data set
 * @param source where its files came from, in words; may be null
 * @param fingerprint hash of the training images; resuming on others is refused
 * @param trainingImages number of training images, at least 1
 * @param validationImages number of held-out images, at least 0
 * @param shape of one image
 */
public record DataDescription(
    @JsonProperty(value = "name", required = true) String name,
    @JsonProperty("source") String source,
    @JsonProperty(value = "fingerprint", required = true) String fingerprint,
    @JsonProperty("training_images") int trainingImages,
    @JsonProperty("validation_images") int validationImages,
    @JsonProperty(value = "shape", required = true) ImageShape shape) {

  /**
   * Checks that nothing is missing and the numbers.
   *
   * @param name of the data set
   * @param source where its files came from
   * @param fingerprint hash of the training images
   * @param trainingImages number of training images
   * @param validationImages number of held-out images
   * @param shape of one image
   * @throws IllegalArgumentException if one is out of range
   */
  public DataDescription {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(shape, "shape");
    if (trainingImages < 1 || validationImages < 0) {
      throw new IllegalArgumentException(
          "The data set %s cannot have %d training and %d validation images; it takes at least 1 and 0."
              .formatted(name, trainingImages, validationImages));
    }
  }
}
