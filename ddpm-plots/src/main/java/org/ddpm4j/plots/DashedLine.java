package org.ddpm4j.plots;

import java.util.Arrays;

/**
 * A line cut into dashes. XChart strokes each segment between two points anew, so that the dashes
 * of a stroke vanish where points are dense; instead the points themselves leave gaps.
 */
final class DashedLine {

  private final double dash;
  private final double period;
  private final double xScale;
  private final double yScale;

  private double[] x = new double[16];
  private double[] y = new double[16];
  private int size;

  /**
   * Dashes of a given length.
   *
   * @param dash length of a dash in points of the picture
   * @param gap length of a gap in points of the picture
   * @param xScale points of the picture in a horizontal unit
   * @param yScale points of the picture in a vertical unit
   */
  DashedLine(double dash, double gap, double xScale, double yScale) {
    this.dash = dash;
    this.period = dash + gap;
    this.xScale = xScale;
    this.yScale = yScale;
  }

  /** Cuts a line; a value that is NaN is a gap already, after which the dashes begin anew. */
  Series cut(Series line) {
    double[] lineX = line.x();
    double[] lineY = line.y();
    double position = 0;
    size = 0;
    for (int i = 0; i < lineX.length; i++) {
      if (Double.isNaN(lineY[i]) || i == 0 || Double.isNaN(lineY[i - 1])) {
        position = 0;
        add(lineX[i], lineY[i]);
        continue;
      }
      double length =
          Math.hypot((lineX[i] - lineX[i - 1]) * xScale, (lineY[i] - lineY[i - 1]) * yScale);
      double done = 0;
      while (done < length) {
        double inPeriod = position % period;
        boolean isDash = inPeriod < dash;
        double left = (isDash ? dash : period) - inPeriod;
        double step = Math.min(left, length - done);
        done += step;
        position = step == left && !isDash ? 0 : position + step;
        double share = done / length;
        double atX = lineX[i - 1] + share * (lineX[i] - lineX[i - 1]);
        double atY = lineY[i - 1] + share * (lineY[i] - lineY[i - 1]);
        if (isDash) {
          add(atX, atY);
          if (step == left) {
            position = dash;
            add(atX, Double.NaN);
          }
        } else if (step == left) {
          add(atX, atY);
        }
      }
    }
    return new Series(line.name(), Arrays.copyOf(x, size), Arrays.copyOf(y, size), line.style());
  }

  private void add(double atX, double atY) {
    if (size == x.length) {
      x = Arrays.copyOf(x, 2 * size);
      y = Arrays.copyOf(y, 2 * size);
    }
    x[size] = atX;
    y[size++] = atY;
  }
}
