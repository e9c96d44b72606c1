package org.ddpm4j.diffusion.random;

/**
 * What random numbers are for: those of two purposes have nothing in common. The numbers are part
 * of the format of runs, so they are written down and never given to another purpose.
 */
public enum Purpose {
  /** Noise that samplers begin with and add. */
  SAMPLING_NOISE(0),
  /** The timesteps of training images. */
  TRAINING_TIMESTEPS(1),
  /** The noise of training images, or whatever else degrades them. */
  TRAINING_NOISE(2),
  /** The same of held-out images. */
  VALIDATION_NOISE(3),
  /** Which training images are not told their class. */
  LABEL_DROPOUT(4),
  /** Which images are mirrored. */
  FLIPS(5),
  /** The order of images in an epoch. */
  SHUFFLES(6),
  /** The choices of a degradation. */
  DEGRADATIONS(7),
  /** The timesteps at which a bound is evaluated. */
  BOUND_TIMESTEPS(8),
  /** What is added to the noise of all pixels of a training image's channel alike. */
  OFFSET_NOISE(9),
  /** Which steps of training tell the network its own estimate. */
  SELF_CONDITIONING(10),
  /** How images are cropped and coloured. */
  AUGMENTATIONS(11),
  /** Which elements of a network are dropped; the layer is in the upper half of the word. */
  DROPOUT(12);

  private final int number;

  Purpose(int number) {
    this.number = number;
  }

  /**
   * The number that stands for this purpose, the last word of Philox' counter or its lower half.
   *
   * @return at least 0
   */
  public int number() {
    return number;
  }
}
