package org.ddpm4j.diffusion.diffusers;

import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;

/** What a scheduler of diffusers does to each estimate of x0. */
public sealed interface X0Clipping {

  /** Leaves it as it is. */
  X0Clipping NONE = new None();

  /** Clips it to [-1,1]. */
  X0Clipping UNIT = new Range(1);

  /**
   * The same for samplers.
   *
   * @return the constraint
   */
  X0Constraint constraint();

  /** Nothing: {@code clip_sample} and {@code thresholding} of false. */
  record None() implements X0Clipping {
    @Override
    public X0Constraint constraint() {
      return X0Constraint.NONE;
    }
  }

  /**
   * Clips: {@code clip_sample}.
   *
   * @param max images are clipped to [-max,max], {@code clip_sample_range}; positive and finite
   */
  record Range(double max) implements X0Clipping {

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public Range {
      if (!(max > 0 && max < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            Text.format("The range of clipping is %s; it must be positive and finite.", max));
      }
    }

    @Override
    public X0Constraint constraint() {
      return X0Constraint.clip(-max, max);
    }
  }

  /**
   * Dynamic thresholding (Saharia et al. 2022, section 2.3): {@code thresholding}.
   *
   * @param ratio which quantile of the absolute values is the threshold, {@code
   *     dynamic_thresholding_ratio}, in (0,1]
   * @param maxThreshold the greatest threshold, {@code sample_max_value}, positive
   */
  record DynamicThreshold(double ratio, double maxThreshold) implements X0Clipping {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public DynamicThreshold {
      X0Constraint.dynamicThreshold(ratio, maxThreshold);
    }

    @Override
    public X0Constraint constraint() {
      return X0Constraint.dynamicThreshold(ratio, maxThreshold);
    }
  }
}
