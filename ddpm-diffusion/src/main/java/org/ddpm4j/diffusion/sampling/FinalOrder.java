package org.ddpm4j.diffusion.sampling;

/**
 * Whether a multistep solver lowers its order towards the end of a run, where extrapolation does
 * most harm. A step onto clean images is of order 1 whatever is chosen, because λ is infinite there
 * and no polynomial in it reaches so far.
 */
public enum FinalOrder {
  /** As high as in all other steps. */
  FULL {
    @Override
    int limit(int remaining, int steps) {
      return Integer.MAX_VALUE;
    }
  },
  /** At most 2 in the last step but one and 1 in the last, in runs of fewer than 15 steps. */
  LOWERED_IN_SHORT_RUNS {
    @Override
    int limit(int remaining, int steps) {
      return steps < SHORT ? remaining : Integer.MAX_VALUE;
    }
  },
  /** 1 in the last step alone: diffusers' {@code euler_at_final}. */
  EULER {
    @Override
    int limit(int remaining, int steps) {
      return remaining == 1 ? 1 : Integer.MAX_VALUE;
    }
  },
  /** As {@link #LOWERED_IN_SHORT_RUNS}, and 1 in the last step of longer runs too. */
  EULER_AND_LOWERED_IN_SHORT_RUNS {
    @Override
    int limit(int remaining, int steps) {
      return Math.min(EULER.limit(remaining, steps), LOWERED_IN_SHORT_RUNS.limit(remaining, steps));
    }
  },
  /** At most 2 in the last step but one and 1 in the last. */
  LOWERED {
    @Override
    int limit(int remaining, int steps) {
      return remaining;
    }
  };

  private static final int SHORT = 15;

  /** The highest order when so many steps, the next included, remain. */
  abstract int limit(int remaining, int steps);

  /** The order of a step. */
  int order(int highest, History history, NoiseLevels levels, int i) {
    int remembered = Math.min(highest, history.size());
    return levels.step(i).isFinite() && levels.step(i).h() > 0
        ? Math.min(remembered, limit(levels.steps() - i, levels.steps()))
        : 1;
  }
}
