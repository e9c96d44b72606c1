package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;
import org.ddpm4j.diffusion.ImageShape;

/**
 * What a run was trained on.
 *
 * @param name of the data set
 * @param source where its files came from, in words
 * @param fingerprint hash of the training images; resuming on others is refused
 * @param trainingImages number of training images
 * @param validationImages number of held-out images
 * @param shape of one image
 */
public record DataDescription(
    @JsonProperty(value = "name", required = true) String name,
    @JsonProperty("source") String source,
    @JsonProperty(value = "fingerprint", required = true) String fingerprint,
    @JsonProperty("training_images") int trainingImages,
    @JsonProperty("validation_images") int validationImages,
    @JsonProperty(value = "shape", required = true) ImageShape shape) {

  /** Checks that nothing is missing. */
  public DataDescription {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(shape, "shape");
  }
}
