package org.ddpm4j.diffusion.image;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Whether images are mirrored left to right while training. */
public enum HorizontalFlip {
  /** Every image as it is: the only right choice where a mirror image means something else. */
  @JsonProperty("none")
  NONE,
  /** Each image of each epoch is mirrored with probability 1/2. */
  @JsonProperty("random")
  RANDOM
}
