package org.ddpm4j.plots;

/** How an axis spreads its values. */
public enum Scale {
  /** Equal differences are equally long. */
  LINEAR,
  /** Equal ratios are equally long; values of 0 and less are left out. */
  LOGARITHMIC
}
