package org.ddpm4j.cli.options;

import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.sampling.X0Constraint;

/** What is done to each estimate of x0. */
public enum Clip {
  /** Nothing. */
  NONE {
    @Override
    public X0Constraint constraint(Normalization normalization) {
      return X0Constraint.NONE;
    }

    @Override
    X0Clipping forDiffusers() {
      return X0Clipping.NONE;
    }
  },
  /** To the values that pixels can have. */
  RANGE {
    @Override
    public X0Constraint constraint(Normalization normalization) {
      return X0Constraint.clip(normalization);
    }

    @Override
    X0Clipping forDiffusers() {
      return X0Clipping.UNIT;
    }
  },
  /** To a range of its own, which is then made [-1,1]. */
  DYNAMIC {
    @Override
    public X0Constraint constraint(Normalization normalization) {
      if (!normalization.equals(Normalization.SYMMETRIC)) {
        throw new BadInputException(
            "Dynamic thresholding is for images in [-1,1]; this network's are normalised otherwise, so choose --clip range or none.");
      }
      return X0Constraint.dynamicThreshold(RATIO);
    }

    @Override
    X0Clipping forDiffusers() {
      return new X0Clipping.DynamicThreshold(RATIO, Double.POSITIVE_INFINITY);
    }
  };

  private static final double RATIO = Double.parseDouble(Defaults.DYNAMIC_THRESHOLD);

  /**
   * The same for samplers.
   *
   * @param normalization the scale of images
   * @return the constraint
   * @throws BadInputException if it does not go with the scale
   */
  public abstract X0Constraint constraint(Normalization normalization);

  /** The same for images in [-1,1], as a file of diffusers says it. */
  abstract X0Clipping forDiffusers();
}
