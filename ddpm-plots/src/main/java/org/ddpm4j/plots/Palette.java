package org.ddpm4j.plots;

import java.awt.Color;

/** The colours of a chart's series. Both palettes can be told apart by colour-blind people. */
public enum Palette {
  /** Seven colours that differ in hue and lightness (Okabe and Ito 2008), for things of a kind. */
  DISTINCT {
    @Override
    Color color(int index, int count) {
      return HUES[index % HUES.length];
    }
  },
  /** From dark violet to light green, growing lighter evenly, for series that follow each other. */
  SEQUENTIAL {
    @Override
    Color color(int index, int count) {
      double position = count < 2 ? 0 : (double) index / (count - 1) * (RAMP.length - 1);
      int left = Math.min((int) position, RAMP.length - 2);
      double weight = position - left;
      Color from = RAMP[left];
      Color to = RAMP[left + 1];
      return new Color(
          mix(from.getRed(), to.getRed(), weight),
          mix(from.getGreen(), to.getGreen(), weight),
          mix(from.getBlue(), to.getBlue(), weight));
    }
  };

  private static final Color[] HUES = {
    new Color(0x0072b2),
    new Color(0xd55e00),
    new Color(0x009e73),
    new Color(0xcc79a7),
    new Color(0xe69f00),
    new Color(0x56b4e9),
    new Color(0x555555),
  };

  /** The darker nine tenths of matplotlib's viridis; its yellow is lost on white. */
  private static final Color[] RAMP = {
    new Color(0x440154),
    new Color(0x482878),
    new Color(0x3e4a89),
    new Color(0x31688e),
    new Color(0x26828e),
    new Color(0x1f9e89),
    new Color(0x35b779),
    new Color(0x6dcd59),
    new Color(0xa5db36),
  };

  /** After how many series colours repeat; those that follow are dashed. */
  static final int DISTINCT_COLORS = HUES.length;

  abstract Color color(int index, int count);

  private static int mix(int from, int to, double weight) {
    return (int) Math.round(from + weight * (to - from));
  }
}
