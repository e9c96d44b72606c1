package org.ddpm4j.data;

/** Whether images are mirrored left to right while training. */
public enum HorizontalFlip {
  /** Every image as it is: the only right choice where a mirror image means something else. */
  NONE,
  /** Each image of each epoch is mirrored with probability 1/2. */
  RANDOM
}
