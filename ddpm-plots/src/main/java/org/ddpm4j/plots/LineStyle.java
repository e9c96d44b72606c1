package org.ddpm4j.plots;

/** How a series is drawn. */
public enum LineStyle {
  /** A line. */
  SOLID,
  /** A line of dashes. */
  DASHED,
  /** A line of dots. */
  DOTTED,
  /** A level for each point, as wide as the distance to its neighbours. */
  STEPS,
  /** Dots without a line. */
  POINTS,
  /** Black dashes, which take no colour of the palette: what the other series are compared with. */
  REFERENCE
}
